import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodePosition, encodePosition } from '../../../node/http/watch-position.ts';

const watched = { cluster: 'c', user: 'u', filter: 'a/#' };
const position = new Map([
  [1, 890_631_782_862_848],
  [64, Number.MAX_SAFE_INTEGER],
]);
const NOW = 1_700_000_000_000;
const HALF_AN_HOUR = 30 * 60_000;

it('a position comes back as it was', () => {
  const version = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(fc.tuple(group, version), { minLength: 1 }), (shards) => {
      const given = new Map(shards);
      const id = encodePosition(watched, given, NOW);
      expect(id).toMatch(/^[\w-]+$/);
      expect(decodePosition(watched, id, NOW)).toEqual(given);
    }),
  );
});

it('one of another cluster, user or filter, or a garbled one, says nothing', () => {
  const id = encodePosition(watched, position, NOW);
  for (const other of [{ cluster: 'd' }, { user: 'v' }, { filter: 'b/#' }]) {
    expect(decodePosition({ ...watched, ...other }, id, NOW)).toBeUndefined();
  }
  for (const garbled of [undefined, '', 'x', id.slice(0, -3), `${id}!`, id.replace('-', '_')]) {
    expect(decodePosition(watched, garbled, NOW)).toBeUndefined();
  }
  const beyond = `${id.slice(0, id.lastIndexOf('-'))}-${Buffer.alloc(9, 0xff).toString('base64url')}`;
  expect(decodePosition(watched, beyond, NOW)).toBeUndefined();
});

it('an old one says nothing, as deletes are forgotten; clocks may differ a little', () => {
  const id = encodePosition(watched, position, NOW);
  expect(decodePosition(watched, id, NOW + HALF_AN_HOUR)).toEqual(position);
  expect(decodePosition(watched, id, NOW + HALF_AN_HOUR + 1)).toBeUndefined();
  expect(decodePosition(watched, id, NOW - HALF_AN_HOUR)).toEqual(position);
  expect(decodePosition(watched, id, NOW - HALF_AN_HOUR - 1)).toBeUndefined();
});
