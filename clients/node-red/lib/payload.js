'use strict';

const strictDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/**
 * The value of an item as a payload. `format`: `buffer`, `string`, `json`, or `auto`: numbers, objects and the like if
 * it is the JSON text of one, else text, else bytes. A delete has none: null.
 */
function payloadOf(item, format) {
  if (item.deleted) return null;
  if (format === 'string') return item.text();
  if (format === 'json') return parsed(item);
  const bytes = Buffer.from(item.value);
  return format === 'buffer' ? bytes : guessed(bytes);
}

/** The members of a message that an item stands for. */
function membersOf(item, format) {
  const { key, version, time, expiresAt, deleted } = item;
  const members = { topic: key, payload: payloadOf(item, format), version, time, deleted };
  return expiresAt === undefined ? members : { ...members, expiresAt };
}

function parsed(item) {
  try {
    return item.json();
  } catch (error) {
    const sentence = `the value of ${item.key} is no JSON: ${error.message}`;
    throw Object.assign(new Error(sentence, { cause: error }), { code: 'MALFORMED_JSON' });
  }
}

function guessed(bytes) {
  let text;
  try {
    text = strictDecoder.decode(bytes);
  } catch {
    return bytes;
  }
  try {
    const value = JSON.parse(text);
    // A text in quotes is what somebody has stored as text.
    return typeof value === 'string' ? text : value;
  } catch {
    return text;
  }
}

module.exports = { membersOf, payloadOf };
