'use strict';

/**
 * Sends what an iterable gives: `each` in a message of its own, as `membersOf` says, with `msg.parts` for a Join node;
 * otherwise all in one array, as `elementOf` says.
 */
async function sendItems(RED, { items, output, msg, send, membersOf, elementOf }) {
  if (output !== 'each') {
    msg.payload = [];
    for await (const item of items) msg.payload.push(elementOf(item));
    send(msg);
    return;
  }
  const id = RED.util.generateId();
  const part = (item, index) => ({
    ...RED.util.cloneMessage(msg),
    ...membersOf(item),
    parts: { id, type: 'array', len: 1, index },
  });
  // Held back until it is clear whether it is the last one, which says how many there are.
  let last;
  let count = 0;
  for await (const item of items) {
    if (last !== undefined) send(last);
    last = part(item, count);
    count += 1;
  }
  if (last === undefined) return;
  last.parts.count = count;
  send(last);
}

module.exports = { sendItems };
