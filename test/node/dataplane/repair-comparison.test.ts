import { describe, expect, it } from 'vitest';
import { compareSightings, type Sighting } from '../../../node/dataplane/repair-comparison.ts';
import { utf8 } from '../../support/text.ts';

function sighting(appliedIndex: number, version = 0, text = 'v'): Sighting {
  const value = utf8(text);
  const key = utf8('k');
  const item = { key, value, version, time: version, deleted: text === '' };
  return { appliedIndex, highestVersion: 99, item: version === 0 ? undefined : item };
}

const round = (...sightings: Sighting[]) =>
  new Map(sightings.map((each, i) => [`node${i}`, each] as const));

describe('what replicas hold of a key', () => {
  it('is equal when it is the same, wherever each of them is', () => {
    const verdict = compareSightings(undefined, round(sighting(5, 3), sighting(9, 3)));
    expect(verdict).toMatchObject({ kind: 'equal', answer: { appliedIndex: 9 } });
    expect(compareSightings(undefined, round(sighting(5), sighting(5)))).toMatchObject({
      kind: 'equal',
    });
  });

  it('is no difference when one of them is only behind', () => {
    const first = round(sighting(5, 3), sighting(9, 8));
    expect(compareSightings(undefined, first)).toEqual({ kind: 'open', index: 9 });
    const second = round(sighting(9, 8), sighting(9, 8));
    expect(compareSightings(first, second)).toMatchObject({ kind: 'equal' });
  });

  it('is open as long as the key changes under the eyes', () => {
    const first = round(sighting(5, 3), sighting(9, 8));
    const second = round(sighting(12, 11), sighting(14, 13));
    expect(compareSightings(first, second)).toEqual({ kind: 'open', index: 14 });
  });

  it('is different when one has not what another had at an index that both have passed', () => {
    const first = round(sighting(5, 3), sighting(9, 8), sighting(9, 8));
    const second = round(sighting(12, 3), sighting(13, 8), sighting(11, 8));
    expect(compareSightings(first, second)).toMatchObject({
      kind: 'different',
      answer: { item: { version: 8 } },
    });
  });

  it('is what most have, and of two the newer', () => {
    const three = round(sighting(9, 8, 'a'), sighting(9, 8, 'b'), sighting(9, 8, 'a'));
    const verdict = compareSightings(three, three);
    expect(verdict).toMatchObject({ kind: 'different', answer: { item: { value: utf8('a') } } });
    const two = round(sighting(9, 7), sighting(9, 8));
    expect(compareSightings(two, two)).toMatchObject({ answer: { item: { version: 8 } } });
  });

  it('is the same whether a deletion is still there or gone', () => {
    const seen = round(sighting(9, 8, ''), sighting(9));
    expect(compareSightings(undefined, seen)).toMatchObject({ kind: 'equal' });
  });
});
