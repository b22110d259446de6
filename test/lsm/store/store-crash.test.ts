import { describe, expect, it } from 'vitest';
import { prefixSuccessor } from '../../../lsm/bytes.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { SeededRandom } from '../../support/random.ts';
import { CrashableMemVfs, contentOf, openSmall, put, remove, utf8 } from './store-support.ts';

/**
 * A store, and what it should hold after each call, in the order of the calls: a crash must leave one of these states,
 * and none from before what was acknowledged.
 */
class TrackedStore {
  readonly store: Store;
  readonly #states: string[];
  #content: Map<string, string>;
  acknowledged = 0;
  durable = 0;

  constructor(store: Store, content: Map<string, string>) {
    this.store = store;
    this.#content = new Map(content);
    this.#states = [stateOf(content)];
  }

  async act(random: SeededRandom): Promise<void> {
    const kind = random.below(100);
    if (kind < 60) await this.#put(random);
    else if (kind < 75) await this.#delete(random);
    else if (kind < 90) await this.#batch(random);
    else if (kind < 95) await this.#clear(random);
    else if (kind < 98) await this.#after(this.store.flush(), true);
    else await this.#after(this.store.compact(), true);
  }

  /** Whether `content` is one of the states from `oldest` on. */
  expectStateSince(oldest: number, content: Map<string, string>, seed: string): void {
    expect(this.#states.slice(oldest), seed).toContain(stateOf(content));
  }

  #put(random: SeededRandom): Promise<void> {
    const key = keyFrom(random);
    const value = valueFrom(random);
    const sync = random.chance(0.1);
    this.#content.set(key, value);
    return this.#after(put(this.store, key, value, sync), sync);
  }

  #delete(random: SeededRandom): Promise<void> {
    const key = keyFrom(random);
    const sync = random.chance(0.1);
    this.#content.delete(key);
    return this.#after(remove(this.store, key, sync), sync);
  }

  #batch(random: SeededRandom): Promise<void> {
    const batch = new WriteBatch();
    for (let i = 0; i <= random.below(20); i++) {
      const key = keyFrom(random);
      if (random.chance(0.3)) {
        batch.delete(utf8(key));
        this.#content.delete(key);
      } else {
        const value = valueFrom(random);
        batch.put(utf8(key), utf8(value));
        this.#content.set(key, value);
      }
    }
    const sync = random.chance(0.2);
    return this.#after(this.store.write(batch, { sync }), sync);
  }

  #clear(random: SeededRandom): Promise<void> {
    const prefix = `${random.below(4)}`;
    for (const key of this.#content.keys()) if (key.startsWith(prefix)) this.#content.delete(key);
    const lower = utf8(prefix);
    return this.#after(this.store.clear({ lower, upper: prefixSuccessor(lower) }), false);
  }

  /** The state after a call is noted at the call; that it will last when the call has been answered. */
  async #after(done: Promise<unknown>, isDurable: boolean): Promise<void> {
    const index = this.#states.push(stateOf(this.#content)) - 1;
    await done;
    this.acknowledged = Math.max(this.acknowledged, index);
    if (isDurable) this.durable = Math.max(this.durable, index);
  }
}

const keyFrom = (random: SeededRandom) => `${random.below(4)}/${random.below(12)}`;
const valueFrom = (random: SeededRandom) =>
  `${random.below(1e6)}${'.'.repeat(random.below(random.chance(0.1) ? 3000 : 60))}`;
const stateOf = (content: Map<string, string>) =>
  [...content]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join('\n');

interface Image {
  readonly vfs: CrashableMemVfs;
  /** The oldest state that it may show. */
  readonly since: number;
}

/** Acts until the file system has been used so often; what it was like then, after a kill or a loss of power. */
async function actUntilCrash(
  vfs: CrashableMemVfs,
  tracked: TrackedStore,
  random: SeededRandom,
): Promise<Image> {
  let image: Image | undefined;
  const isKill = random.chance(0.5);
  const crash = (): Image =>
    isKill
      ? { vfs: vfs.processCrashClone(), since: tracked.acknowledged }
      : {
          vfs: vfs.crashClone({
            unsyncedKeepRatio: random.fraction(),
            random: () => random.fraction(),
          }),
          since: tracked.durable,
        };
  let left = random.below(250);
  vfs.onOperation = () => {
    if (left-- === 0) image = crash();
  };
  const pending: Promise<void>[] = [];
  for (let i = 0; i < 150 && image === undefined; i++) {
    const action = tracked.act(random);
    pending.push(action);
    if (random.chance(0.3)) await action;
  }
  image ??= crash();
  vfs.onOperation = undefined;
  await Promise.all(pending);
  await tracked.store.close();
  return image;
}

describe('after a crash', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'what was acknowledged is there, and all of a batch or nothing (%i)',
    async (part) => {
      for (let seed = part * 100; seed < part * 100 + 4; seed++) {
        const random = new SeededRandom(seed);
        let vfs = new CrashableMemVfs();
        let content = new Map<string, string>();
        for (let life = 0; life < 4; life++) {
          const tracked = new TrackedStore(await openSmall(vfs), content);
          const image = await actUntilCrash(vfs, tracked, random);
          vfs = image.vfs;
          const reopened = await openSmall(vfs);
          content = await contentOf(reopened);
          tracked.expectStateSince(image.since, content, `seed ${seed}, life ${life}`);
          if (random.chance(0.5)) await reopened.close();
          else vfs = vfs.processCrashClone();
        }
      }
    },
  );
});
