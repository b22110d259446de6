'use strict';

/** What was entered in the editor; where that is nothing, `msg.topic`. */
function keyOf(entered, msg) {
  if (entered) return entered;
  return typeof msg.topic === 'string' ? msg.topic : '';
}

/** Milliseconds since 1970 of a `Date`, of that number, or of an ISO 8601 text; undefined if nothing was given. */
function timeOf(value, name) {
  if (value === undefined || value === null || value === '') return undefined;
  const timeMs = typeof value === 'string' ? Date.parse(value) : Number(value);
  if (Number.isFinite(timeMs)) return timeMs;
  throw invalid(`msg.${name} is no time: a Date, milliseconds since 1970, or ISO 8601 text`);
}

/** Milliseconds. `entered`, and `msg.ttl` which goes first: seconds. */
function ttlMsOf(entered, { ttl = entered }) {
  const seconds = positive(ttl, 'ttl');
  return seconds === undefined ? undefined : seconds * 1000;
}

function limitOf(entered, { limit = entered }) {
  return positive(limit, 'limit');
}

/** A whole number, or null: there must be no value. */
function versionOf({ version }) {
  if (version === null || Number.isSafeInteger(version)) return version;
  throw invalid('msg.version is the version that the value must have, or null: there must be none');
}

function positive(value, name) {
  if (value === undefined || value === null || value === '') return undefined;
  const number = Number(value);
  if (number > 0) return number;
  throw invalid(`msg.${name} is a number above 0`);
}

function invalid(sentence) {
  return Object.assign(new Error(sentence), { code: 'INVALID_REQUEST' });
}

module.exports = { keyOf, limitOf, timeOf, ttlMsOf, versionOf };
