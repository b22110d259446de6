import { describe, expect, it } from 'vitest';
import { defaultCodec } from '../../../lsm/codec/codecs.ts';
import type { StoreOptions } from '../../../lsm/store/options.ts';
import { SeededRandom } from '../../support/random.ts';
import {
  ClassicSubject,
  keyFrom,
  queryFrom,
  StoreSubject,
  type Subject,
  valueFrom,
  type Write,
} from './metamorphic.ts';

// The same calls on stores that are tuned differently, and on LevelDB: the same answers. DSS_PROOF_SEEDS makes
// more of it.

const seedCount = Number(process.env.DSS_PROOF_SEEDS ?? 6);

/** From everything in memory to everything in tables of a few bytes. */
const tunings: readonly Partial<StoreOptions>[] = [
  { memtableBytes: 1_000_000, blockSizeBytes: 4096, tableBytes: 1_000_000 },
  { memtableBytes: 1, level0TablesTrigger: 1, blockSizeBytes: 64, tableBytes: 200 },
  { memtableBytes: 1, level0TablesTrigger: 6, openFilesMax: 1, blockCacheBytes: 0 },
  { memtableBytes: 2000, codec: 'none', keyFilter: true, frozenMemtablesMax: 1 },
  { memtableBytes: 2000, codec: 'deflate', logFileBytes: 4096, tableBytes: 500 },
  {
    memtableBytes: 5000,
    codec: defaultCodec(),
    borders: [Uint8Array.of(0x01), Uint8Array.of(0x61), Uint8Array.of(0x61, 0xff)],
  },
];

type Step = (subject: Subject) => Promise<string | undefined>;

function stepFrom(random: SeededRandom): Step {
  const kind = random.below(100);
  if (kind < 45) {
    const writes: Write[] = Array.from({ length: 1 + random.below(12) }, () => {
      return [keyFrom(random), random.chance(0.3) ? undefined : valueFrom(random)];
    });
    const sync = random.chance(0.1);
    return async (subject) => void (await subject.write(writes, sync));
  }
  if (kind < 60) {
    const key = keyFrom(random);
    return (subject) => subject.get(key);
  }
  const query = queryFrom(random);
  if (kind < 78) return (subject) => subject.range(query);
  if (kind < 85) return (subject) => subject.heldRange(query);
  if (kind < 90) return async (subject) => void (await subject.clear(query));
  if (kind < 94) return async (subject) => void (await subject.hold());
  if (kind < 97) return async (subject) => void (await subject.tidyUp());
  return async (subject) => void (await subject.reopen());
}

async function answersOf(subject: Subject, steps: readonly Step[]): Promise<string[]> {
  const answers: string[] = [];
  for (const step of steps) answers.push((await step(subject)) ?? '');
  const everything = { lower: new Uint8Array(0), limit: Number.POSITIVE_INFINITY };
  answers.push(await subject.range({ ...everything, reverse: false }));
  answers.push(await subject.range({ ...everything, reverse: true }));
  await subject.remove();
  return answers;
}

describe('the same calls', () => {
  it('have the same answers, however a store is tuned, and from LevelDB', {
    timeout: 30_000 + seedCount * 5000,
  }, async () => {
    for (let seed = 1; seed <= seedCount; seed++) {
      const random = new SeededRandom(seed);
      const steps = Array.from({ length: 120 }, () => stepFrom(random));
      const expected = await answersOf(await ClassicSubject.open(), steps);
      expect(expected.join('').length).toBeGreaterThan(1000);
      for (const [i, tuning] of tunings.entries()) {
        const store = await StoreSubject.open(tuning, (seed + i) % 2 === 0);
        expect(await answersOf(store, steps), `seed ${seed}, tuning ${i}`).toEqual(expected);
      }
    }
  });
});
