import { describe, expect, it } from 'vitest';
import { type Comparison, compareReplicas } from '../../../node/repair/comparison.ts';
import { Incidents } from '../../../node/repair/incidents.ts';
import { isDue } from '../../../node/repair/schedule.ts';
import { NO_MEMBERS } from '../../../node/shard/configuration.ts';

const place = (replicaId: number) => ({ replicaId, node: `node${replicaId}` });
const digest = (crc: number) => [
  { slot: 3, crc: 1, entries: 2, bytes: 20 },
  { slot: 4, crc, entries: 1, bytes: 10 },
];

/** What each replica found, by its id: the first `voters` vote, the others are learners. */
function compare(found: Readonly<Record<number, number | undefined>>, voters: number) {
  const places = Object.keys(found).map((id) => place(Number(id)));
  const digests = Object.entries(found).flatMap(([id, crc]) =>
    crc === undefined ? [] : [[Number(id), digest(crc)] as const],
  );
  const members = {
    ...NO_MEMBERS,
    voters: places.slice(0, voters),
    learners: places.slice(voters),
  };
  const { agreeing, differing, missing, slots, isDecided }: Comparison = compareReplicas(
    members,
    new Map(digests),
  );
  const ids = (from: typeof agreeing) => from.map(({ replicaId }) => replicaId);
  return { agree: ids(agreeing), differ: ids(differing), miss: ids(missing), slots, isDecided };
}

describe('replicas', () => {
  it('that are equal', () => {
    expect(compare({ 1: 7, 2: 7, 3: 7 }, 3)).toEqual({
      ...{ agree: [1, 2, 3], differ: [], miss: [], slots: [], isDecided: true },
    });
  });

  it('of which one differs: it is wrong, and so is a learner', () => {
    const found = { differ: [2], miss: [], slots: [4], isDecided: true };
    expect(compare({ 1: 7, 2: 8, 3: 7 }, 3)).toEqual({ ...found, agree: [1, 3] });
    expect(compare({ 1: 7, 2: 7, 3: 8 }, 2)).toMatchObject({
      ...found,
      agree: [1, 2],
      differ: [3],
    });
  });

  it('of which most voters could not be asked: nobody knows', () => {
    expect(compare({ 1: 7, 2: 8, 3: undefined }, 3)).toEqual({
      ...{ agree: [], differ: [1, 2], miss: [3], slots: [4], isDecided: false },
    });
  });

  it('of which the only voter differs from its learners: the group cannot go on without it', () => {
    expect(compare({ 1: 8, 2: 7, 3: 7 }, 1)).toMatchObject({ agree: [], isDecided: false });
  });

  it('that all differ, or of which there are two: nobody knows', () => {
    expect(compare({ 1: 7, 2: 8, 3: 9 }, 3)).toMatchObject({ agree: [], isDecided: false });
    expect(compare({ 1: 7, 2: 8 }, 1)).toMatchObject({ agree: [], isDecided: false });
  });

  it('of which only one could be asked: that is no comparison', () => {
    expect(compare({ 1: 7, 2: undefined, 3: undefined }, 3)).toMatchObject({ isDecided: false });
  });
});

describe('the schedule', () => {
  it('has every group once in a period, not all at the same time', () => {
    const periodMs = 1_000;
    const times = new Set<number>();
    for (let group = 0; group < 64; group++) {
      let lastMs = 10_000;
      const due: number[] = [];
      for (let nowMs = 10_001; nowMs <= 13_000; nowMs++) {
        if (!isDue(group, { nowMs, lastMs, periodMs })) continue;
        due.push(nowMs);
        lastMs = nowMs;
      }
      expect(due).toHaveLength(3);
      times.add(due[0] as number);
    }
    const sorted = [...times].sort((a, b) => a - b);
    expect(sorted.length).toBe(64);
    const gaps = sorted.slice(1).map((time, i) => time - (sorted[i] as number));
    expect(Math.max(...gaps)).toBeLessThan(50);
  });
});

describe('incidents', () => {
  it('have a time for each step, are told once, and of the oldest nothing is kept', () => {
    let nowMs = 100;
    const incidents = new Incidents({ nowMs: () => nowMs++ });
    incidents.incident('replica-suspect', 7, 3, 'a table is damaged');
    incidents.incident('replica-suspect', 7, 3, 'again');
    incidents.decided('replica-suspect', 7);
    incidents.decided('replica-suspect', 8);
    incidents.resolved('replica-suspect', 7);
    const [first, second] = incidents.list();
    expect(second).toBeUndefined();
    expect(first).toMatchObject({ reason: 'a table is damaged', detectedAtMs: 100 });
    expect([first?.decidedAtMs, first?.repairedAtMs]).toEqual([101, 103]);
    for (let i = 0; i < 300; i++) incidents.incident('replica-differs', i, 1, 'x');
    expect(incidents.list()).toHaveLength(200);
  });
});
