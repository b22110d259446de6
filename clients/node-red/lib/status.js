'use strict';

const TEXT_MAX = 80;

/**
 * The dot below a node. `state`: of its connection; `error`: why the node's last message failed, if it did; `text`:
 * translates a name.
 */
function statusOf(text, state, error) {
  if (state.kind === 'connecting') {
    return { fill: 'yellow', shape: 'ring', text: sentence(text('connecting'), state.error) };
  }
  if (state.kind === 'refused') {
    return { fill: 'red', shape: 'ring', text: sentence(text('refused'), state.error) };
  }
  if (error === undefined) return { fill: 'green', shape: 'dot', text: text('connected') };
  return { fill: 'red', shape: 'dot', text: sentence(text(nameOf(error)), error) };
}

function nameOf({ code }) {
  if (code === 'UNAVAILABLE') return 'noQuorum';
  return code === 'TIMEOUT' || code === 'OUTCOME_UNKNOWN' ? 'noAnswer' : 'refused';
}

function sentence(label, error) {
  if (error === undefined) return label;
  const all = `${label}: ${error.message}`;
  return all.length > TEXT_MAX ? `${all.slice(0, TEXT_MAX - 1)}…` : all;
}

module.exports = { statusOf };
