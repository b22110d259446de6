import { describe, expect, it } from 'vitest';
import { prefixSuccessor } from '../../../lsm/bytes.ts';
import type { EngineEvent } from '../../../lsm/engine.ts';
import { LsmError } from '../../../lsm/errors.ts';
import type { Store } from '../../../lsm/store/store.ts';
import { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { CrashableMemVfs, type VfsOperation } from '../../../lsm/vfs/mem.ts';
import { SeededRandom } from '../../support/random.ts';
import { text, utf8 } from '../entries.ts';
import { contentOf, openSmall } from '../store/store-support.ts';
import { Candidates, type Content, lookOf } from './candidates.ts';
import { answered, type FaultCode, Faults } from './faults.ts';

// A disk that fails at each operation in turn. DSS_PROOF_SEEDS makes more of it.

const seedCount = Number(process.env.DSS_PROOF_SEEDS ?? 2);
/** A disk is used some ten times by a call, and each time is one to fail. */
const callCount = process.env.DSS_PROOF_SEEDS === undefined ? 9 : 25;

/** A call on a store; `change` is what it does to what there is. */
interface Call {
  readonly name: string;
  readonly run: (store: Store) => Promise<unknown>;
  readonly change?: (content: Content) => void;
  readonly isDurable?: boolean;
}

/** Calls of all kinds, each after the other. */
function callsFrom(random: SeededRandom, count: number): Call[] {
  const calls: Call[] = [];
  for (let i = 0; i < count; i++) {
    const kind = random.below(20);
    if (kind < 9) calls.push(putFrom(random, i));
    else if (kind < 12) calls.push(batchFrom(random, i));
    else if (kind < 14) calls.push(clearFrom(random));
    else if (kind < 16) calls.push(flush);
    else if (kind < 17) calls.push({ name: 'compact', run: (store) => store.compact() });
    else if (kind < 18) calls.push(checkpointTo(`/copy${i}`));
    else calls.push({ name: 'read', run: (store) => contentOf(store) });
  }
  return calls;
}

const keyFrom = (random: SeededRandom) => `${random.below(3)}/${random.below(9)}`;
const flush: Call = { name: 'flush', run: (store) => store.flush(), isDurable: true };

function putFrom(random: SeededRandom, number: number): Call {
  const key = keyFrom(random);
  const sync = random.chance(0.4);
  const value = `${number}${'.'.repeat(random.pick([5, 50, 1500]))}`;
  return {
    name: `put ${key}=${number}`,
    run: (store) => store.put(utf8(key), utf8(value), { sync }),
    change: (content) => content.set(key, value),
    isDurable: sync,
  };
}

function batchFrom(random: SeededRandom, number: number): Call {
  const batch = new WriteBatch();
  const changes: ((content: Content) => void)[] = [];
  for (let i = 0; i < 5; i++) {
    const key = keyFrom(random);
    if (random.chance(0.4)) {
      batch.delete(utf8(key));
      changes.push((content) => content.delete(key));
    } else {
      const value = `${number}.${i}`;
      batch.put(utf8(key), utf8(value));
      changes.push((content) => content.set(key, value));
    }
  }
  const change = (content: Content) => {
    for (const each of changes) each(content);
  };
  return { name: `batch ${number}`, run: (store) => store.write(batch), change };
}

function clearFrom(random: SeededRandom): Call {
  const prefix = `${random.below(3)}`;
  const range = { lower: utf8(prefix), upper: prefixSuccessor(utf8(prefix)) };
  const change = (content: Content) => {
    for (const key of content.keys()) if (key.startsWith(prefix)) content.delete(key);
  };
  return { name: `clear ${prefix}`, run: (store) => store.clear(range), change };
}

/** Of many: the range is dropped as a whole. */
function fillAndClear(count: number): Call[] {
  const batch = new WriteBatch();
  const keys = Array.from({ length: count }, (_, i) => `4/${i}`);
  for (const key of keys) batch.put(utf8(key), utf8('x'));
  const range = { lower: utf8('4'), upper: utf8('5') };
  return [
    {
      name: 'fill',
      run: (store) => store.write(batch),
      change: (content) => {
        for (const key of keys) content.set(key, 'x');
      },
    },
    {
      name: 'drop',
      run: (store) => store.clear(range),
      change: (content) => {
        for (const key of keys) content.delete(key);
      },
    },
  ];
}

const checkpointTo = (target: string): Call => ({
  name: `checkpoint ${target}`,
  run: (store) => store.checkpoint(target),
});

class Life {
  readonly vfs = new CrashableMemVfs();
  readonly candidates = new Candidates();
  readonly errors: LsmError[] = [];
  readonly #name: string;
  /** Calls of which nobody knows whether they happened. */
  #unknowns = 0;
  readonly #tuning: Parameters<typeof openSmall>[1];
  readonly events: EngineEvent[] = [];

  constructor(name: string, tuning: Parameters<typeof openSmall>[1]) {
    this.#name = name;
    this.#tuning = { ...tuning, onEvent: (event) => void this.events.push(event) };
  }

  /** `undefined` when it cannot be opened. */
  open(): Promise<Store | undefined> {
    return this.#try('open', () => openSmall(this.vfs, this.#tuning));
  }

  async run(store: Store, calls: readonly Call[]): Promise<void> {
    for (const call of calls) {
      const before = this.errors.length;
      const isDone = await this.#try(call.name, async () => {
        await call.run(store);
        return true;
      });
      const error = this.errors[before];
      if (call.change !== undefined) {
        const isRefused = error?.code === 'DISK_FULL' || this.#unknowns >= UNKNOWNS_MAX;
        if (!isDone && !isRefused) this.#unknowns++;
        this.candidates.apply(call.change, isDone ? 'done' : isRefused ? 'refused' : 'unknown');
      }
      if (isDone && call.isDurable) this.candidates.noteDurable();
    }
  }

  async close(store: Store): Promise<void> {
    await this.#try('close', () => store.close());
  }

  /** What a disk shows after all this. */
  async expectOn(vfs: CrashableMemVfs, allows: (content: Content) => boolean): Promise<void> {
    const events: EngineEvent[] = [];
    const store = await openSmall(vfs, { ...this.#tuning, onEvent: (event) => events.push(event) });
    expect(events.filter(({ kind }) => kind === 'corruption')).toEqual([]);
    const content = await contentOf(store);
    expect(
      allows(content),
      `${this.#name} leaves ${lookOf(content).slice(0, 500)}; ${this.errors[0]}`,
    ).toBe(true);
    await store.put(utf8('new'), utf8('new'), { sync: true });
    expect(text((await store.get(utf8('new'))) as Uint8Array)).toBe('new');
    expect((await store.verify()).damage).toEqual([]);
    await store.close();
  }

  async #try<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await answered(call(), `${this.#name}, ${what}`);
    } catch (error) {
      expect(error, `${this.#name}, ${what}: ${error}`).toBeInstanceOf(LsmError);
      this.errors.push(error as LsmError);
      return undefined;
    }
  }
}

/** By then the failure is known to the store, and it begins nothing any more. */
const UNKNOWNS_MAX = 3;

const tunings = [
  { memtableBytes: 2000, level0TablesTrigger: 2 },
  { memtableBytes: 1, frozenMemtablesMax: 1, level0TablesTrigger: 1, openFilesMax: 1 },
  { memtableBytes: 20_000, logFileBytes: 4096, level0TablesTrigger: 1 },
];

describe('a store on a disk that fails', () => {
  const modes: [string, FaultCode, boolean][] = [
    ['once', 'EIO', false],
    ['from then on', 'EIO', true],
  ];
  it.each(modes)(
    'loses nothing that was acknowledged, and its errors are typed (%s)',
    { timeout: 30_000 + seedCount * 30_000 },
    async (mode, code, goesOn) => {
      for (let seed = 1; seed <= seedCount; seed++) {
        for (let n = 1; ; n++) {
          const random = new SeededRandom(seed);
          const calls = callsFrom(random, callCount);
          const name = `seed ${seed}, ${code} ${mode} at ${n}`;
          const life = new Life(name, tunings[seed % tunings.length]);
          const faults = new Faults(life.vfs, code);
          faults.failAt(n, goesOn);
          const store = await life.open();
          if (store !== undefined) await life.run(store, calls);
          const cut = life.vfs.crashClone({
            unsyncedKeepRatio: 0.5,
            random: () => random.fraction(),
          });
          const killed = life.vfs.processCrashClone();
          if (store !== undefined) await life.close(store);
          faults.repair();
          await life.expectOn(life.vfs, (content) => life.candidates.allows(content));
          await life.expectOn(killed, (content) => life.candidates.allows(content));
          await life.expectOn(cut, (content) => life.candidates.allowsAfterPowerCut(content));
          if (faults.failed === 0) break;
        }
      }
    },
  );
});

/** What takes room. */
const takesRoom = ({ kind }: VfsOperation) => kind === 'write' || kind === 'link';
const alsoRemoves = (operation: VfsOperation) =>
  takesRoom(operation) || operation.kind === 'remove';

describe('a store on a full disk', () => {
  const modes: [string, (operation: VfsOperation) => boolean, number][] = [
    ['writes', takesRoom, 3],
    ['whatever needs room on some file systems', alsoRemoves, 3],
  ];
  it.each(modes)(
    'refuses, and goes on when there is room (%s)',
    { timeout: 30_000 + seedCount * 30_000 },
    async (mode, concerns, length) => {
      for (let seed = 1; seed <= Math.ceil(seedCount / 2); seed++) {
        for (let n = 1; ; n++) {
          const random = new SeededRandom(seed);
          const life = new Life(`seed ${seed}, ${mode} at ${n}`, tunings[seed % tunings.length]);
          const store = (await life.open()) as Store;
          const calls = [
            ...fillAndClear(1200),
            ...callsFrom(random, callCount),
            ...fillAndClear(1200),
          ];
          const faults = new Faults(life.vfs, 'ENOSPC', concerns);
          faults.failAt(n, true);
          let at = 0;
          for (; at < calls.length && faults.failed < length; at++) {
            await life.run(store, calls.slice(at, at + 1));
          }
          const wasFull = faults.failed > 0;
          for (const error of life.errors)
            expect(error, `seed ${seed}, ${mode} at ${n}: ${error.cause}`).toMatchObject({
              code: 'DISK_FULL',
            });
          faults.repair();
          life.errors.length = 0;
          await life.run(store, [...calls.slice(at), flush, ...fillAndClear(1200)]);
          expect(life.errors, `seed ${seed}, ${mode} at ${n}`).toEqual([]);
          const content = await contentOf(store);
          expect(life.candidates.allows(content)).toBe(true);
          const killed = life.vfs.processCrashClone();
          await life.close(store);
          const allows = (found: Content) => lookOf(found) === lookOf(content);
          await life.expectOn(killed, allows);
          await life.expectOn(life.vfs, allows);
          if (!wasFull) break;
        }
      }
    },
  );
});
