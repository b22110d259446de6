import { describe, expect, it } from 'vitest';
import { defaultCodec } from '../../../lsm/codec/codecs.ts';
import type { EngineEvent } from '../../../lsm/engine.ts';
import type { StoreOptions } from '../../../lsm/store/options.ts';
import { Store } from '../../../lsm/store/store.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { SeededRandom } from '../../support/random.ts';
import { openSmall } from '../store/store-support.ts';
import { numbersIn, StoreHistory, stateOf } from './store-history.ts';

// Crashes at every operation of the disk, of a life and of the recoveries after it. DSS_PROOF_SEEDS makes more of it.

const seedCount = Number(process.env.DSS_PROOF_SEEDS ?? 16);

/** A disk as a crash may leave it, and what it may show. */
interface Image {
  readonly vfs: CrashableMemVfs;
  readonly name: string;
  readonly since: number;
  /** The same when the power goes before it was recovered. */
  readonly durable: number;
  readonly through: number;
  readonly checkpoints: readonly string[];
}

type Tuning = Partial<StoreOptions>;

function tuningFrom(random: SeededRandom): Tuning {
  return {
    memtableBytes: random.pick([1, 600, 3000, 30_000]),
    frozenMemtablesMax: random.pick([1, 2]),
    logFileBytes: random.pick([4096, 8192, 40_000]),
    level0TablesTrigger: random.pick([1, 2, 6]),
    openFilesMax: random.pick([1, 2, 100]),
    codec: random.pick(['none', defaultCodec()]),
    keyFilter: random.chance(0.5),
  };
}

/** Of what may be cut: all, nothing, or each sector and name by chance. */
function cutPower(vfs: CrashableMemVfs, random: SeededRandom): CrashableMemVfs {
  const unsyncedKeepRatio = random.pick([0, 0, 0.5, random.fraction(), 1]);
  return vfs.crashClone({ unsyncedKeepRatio, random: () => random.fraction() });
}

/** A life on a disk, and images of it on the way. */
class Life {
  readonly images: Image[] = [];
  readonly history: StoreHistory;
  readonly #vfs: CrashableMemVfs;
  readonly #random: SeededRandom;
  readonly #tuning: Tuning;

  constructor(vfs: CrashableMemVfs, random: SeededRandom, tuning: Tuning) {
    this.#vfs = vfs;
    this.#random = random;
    this.#tuning = tuning;
    this.history = new StoreHistory(random);
  }

  async run(): Promise<void> {
    const every = 1 + this.#random.below(8);
    let operations = 0;
    this.#vfs.readsNow = this.#random.chance(0.5);
    this.#vfs.onOperation = ({ kind }) => {
      if (kind === 'read' || kind === 'size') return;
      if (++operations % every === 0) this.#takeImage(operations);
    };
    const store = await openSmall(this.#vfs, this.#tuning);
    const pending: Promise<void>[] = [];
    for (let i = 0; i < 40; i++) {
      const done = this.history.act(store);
      pending.push(done);
      if (this.#random.chance(0.4)) await done;
    }
    await Promise.all(pending);
    await store.close();
    this.#vfs.onOperation = undefined;
  }

  #takeImage(operation: number): void {
    const { acknowledged, durable, length, checkpoints } = this.history;
    const more = { durable, through: length, checkpoints: [...checkpoints.keys()] };
    if (this.#random.chance(0.3)) {
      const vfs = this.#vfs.processCrashClone();
      this.images.push({ vfs, name: `kill at ${operation}`, since: acknowledged, ...more });
    } else {
      const vfs = cutPower(this.#vfs, this.#random);
      this.images.push({ vfs, name: `power cut at ${operation}`, since: durable, ...more });
    }
  }
}

/** Opens an image, crashes on the way there, opens what that leaves, writes, and opens it once more. */
async function expectRecovery(
  image: Image,
  history: StoreHistory,
  random: SeededRandom,
  tuning: Tuning,
): Promise<void> {
  const { vfs, since, durable, through } = image;
  const later = await openWithCrash(vfs, random, tuning);
  const first = await stateIn(later.vfs, tuning, random, image.name);
  expect(history.has(first.state, since, through), `${image.name}: ${first.state}`).toBe(true);

  if (later.cut !== undefined) {
    const { state } = await stateIn(later.cut, tuning, random, `${image.name}, cut in recovery`);
    expect(history.has(state, durable, through), `${image.name}, cut: ${state}`).toBe(true);
  }
  const again = await stateIn(first.after, tuning, random, `${image.name}, again`);
  expect(again.state, `${image.name}, again`).toBe(first.expected);
  for (const directory of image.checkpoints) {
    const copy = await Store.open({
      ...(await optionsFor(vfs, directory)),
      createIfMissing: false,
    });
    expect((await copy.verify()).damage).toEqual([]);
    await numbersIn(copy);
    await copy.close();
  }
}

async function optionsFor(vfs: CrashableMemVfs, directory: string): Promise<StoreOptions> {
  const { InlineOffload } = await import('../../../lsm/offload/inline.ts');
  return { vfs, directory, offload: new InlineOffload(vfs) };
}

/** Opens a copy of a disk and takes an image of it on the way. */
async function openWithCrash(vfs: CrashableMemVfs, random: SeededRandom, tuning: Tuning) {
  if (!random.chance(0.5)) return { vfs, cut: undefined };
  const copy = vfs.processCrashClone();
  let [left, cut] = [random.below(25), undefined as CrashableMemVfs | undefined];
  copy.onOperation = ({ kind }) => {
    if (kind !== 'read' && kind !== 'size' && left-- === 0) cut = cutPower(copy, random);
  };
  const store = await openSmall(copy, tuning);
  await store.close();
  return { vfs, cut };
}

interface Shown {
  readonly state: string;
  /** What comes after it, and what that must show. */
  readonly after: CrashableMemVfs;
  readonly expected: string;
}

/** What a disk shows; then some is written to it, the power goes, and what was synced must be there. */
async function stateIn(
  vfs: CrashableMemVfs,
  tuning: Tuning,
  random: SeededRandom,
  name: string,
): Promise<Shown> {
  const events: EngineEvent[] = [];
  const store = await openSmall(vfs, { ...tuning, onEvent: (event) => events.push(event) });
  const bad = events.filter(({ kind }) => kind === 'corruption');
  expect(bad, name).toEqual([]);
  const content = await numbersIn(store);
  const state = stateOf(content);
  const next = new StoreHistory(random, content);
  for (let i = random.below(4); i > 0; i--) await next.put(store, false);
  const isWritten = next.length > 0 || random.chance(0.5);
  if (isWritten) await next.put(store, true);
  expect(next.failures, name).toEqual([]);
  const after = random.chance(0.5) ? cutPower(vfs, random) : vfs.processCrashClone();
  await store.close();
  return { state, after, expected: next.last };
}

describe('a store after a crash', () => {
  const parts = [0, 1, 2, 3, 4, 5];
  it.each(parts)(
    'holds a beginning of its history with all that was acknowledged, and goes on (part %i)',
    { timeout: 30_000 + seedCount * 2000 },
    async (part) => {
      for (let seed = part + 1; seed <= seedCount; seed += parts.length) {
        const random = new SeededRandom(seed);
        const tuning = tuningFrom(random);
        const life = new Life(new CrashableMemVfs(), random, tuning);
        await life.run();
        expect(life.history.failures).toEqual([]);
        for (const image of life.images) {
          const named = { ...image, name: `seed ${seed}, ${image.name}` };
          await expectRecovery(named, life.history, random, tuning);
        }
      }
    },
  );
});
