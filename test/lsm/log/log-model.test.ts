import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LsmError } from '../../../lsm/errors.ts';
import { segmentFileName } from '../../../lsm/log/format.ts';
import type { Log } from '../../../lsm/log/log.ts';
import { scanLog } from '../../../lsm/log/segment-scan.ts';
import type { GroupState, LogEntry } from '../../../lsm/log/types.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { seeded } from '../../support/random.ts';
import { bytes, directory, entries, newGroup, openLog, readAll, suspects } from './harness.ts';

type GroupContents = GroupState & { entries: LogEntry[] };

/** What a log should hold: the plainest thing that could be right. */
class Model {
  readonly groups = new Map<number, GroupContents>();

  clone(): Model {
    const clone = new Model();
    for (const [group, state] of this.groups) {
      clone.groups.set(group, { ...state, entries: [...state.entries] });
    }
    return clone;
  }

  stage(group: number, staged: readonly LogEntry[]): void {
    const state = this.state(group);
    const first = staged[0]?.index ?? 0;
    state.entries = [...state.entries.filter(({ index }) => index < first), ...staged];
  }

  set(group: number, changes: Partial<GroupContents>): void {
    this.groups.set(group, { ...this.state(group), ...changes });
  }

  state(group: number): GroupContents {
    const state = this.groups.get(group);
    if (state === undefined) throw new Error(`no group ${group}`);
    return state;
  }

  last(group: number): { index: number; term: number } {
    const { entries: all, logStart } = this.state(group);
    return all.at(-1) ?? logStart;
  }

  states(): GroupContents[] {
    return [...this.groups.values()].sort((one, other) => one.group - other.group);
  }
}

/** What a log really holds, in the shape of the model. */
async function contentsOf(log: Log, groups: readonly GroupState[]): Promise<GroupContents[]> {
  return Promise.all(
    groups.map(async ({ group, replicaId, hardState, configuration, logStart }) => ({
      group,
      replicaId,
      hardState,
      configuration,
      logStart,
      entries: await readAll(log, group, logStart.index + 1),
    })),
  );
}

/** A log beside its model, over disks that crash. */
class Pair {
  #vfs = new CrashableMemVfs();
  #log!: Log;
  /** With everything that was called. */
  #wanted = new Model();
  /** As of the last round that resolved. */
  #durable = new Model();
  #term = 1;
  #number = 0;
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async start(): Promise<void> {
    this.#log = (await openModelLog(this.#vfs)).log;
    for (const group of [1, 2, 3]) this.#addGroup(newGroup(group));
    await this.commit();
  }

  append(group: number): void {
    const last = this.#wanted.last(group);
    this.#stage(group, last.index + 1, Math.max(this.#term, last.term));
  }

  replace(group: number): void {
    const { logStart, entries: all } = this.#wanted.state(group);
    this.#stage(group, logStart.index + 1 + this.#below(all.length + 1), ++this.#term);
  }

  vote(group: number): void {
    const hardState = { term: ++this.#term, vote: this.#below(5), commit: this.#below(9) };
    this.#log.stage(group, hardState, []);
    this.#wanted.set(group, { hardState });
  }

  configure(group: number): void {
    const configuration = bytes(`configuration ${++this.#number}`);
    this.#log.setConfiguration(group, configuration);
    this.#wanted.set(group, { configuration });
  }

  restart(group: number): void {
    const index = this.#below(20);
    const logStart = { index, term: index === 0 ? 0 : ++this.#term };
    const hardState = { term: this.#term, vote: 0, commit: index };
    this.#addGroup(newGroup(group, { replicaId: ++this.#number, logStart, hardState }));
  }

  /** What is written and not about to be replaced. */
  release(group: number): void {
    const { entries: all } = this.#wanted.state(group);
    const written = new Set(this.#durable.state(group).entries);
    const releasable = all.filter((entry) => written.has(entry));
    const last = releasable[this.#below(releasable.length)];
    if (last === undefined) return;
    this.#log.release(group, last.index, last.term);
    const { index, term } = last;
    const kept = all.filter((entry) => entry.index > index);
    this.#wanted.set(group, { logStart: { index, term }, entries: kept });
  }

  async commit(): Promise<void> {
    await this.#log.commitRound();
    this.#durable = this.#wanted.clone();
    expectSame(await contentsOf(this.#log, this.#wanted.states()), this.#wanted.states());
  }

  async collect(): Promise<void> {
    await this.#log.collect();
  }

  /** Crashes at some operation of a round, or after it, and perhaps while the log is opened again. */
  async crash(): Promise<void> {
    failAfter(this.#vfs, this.#below(6));
    const isAcknowledged = await this.#log.commitRound().then(
      () => true,
      () => false,
    );
    let disk = this.#crashed(this.#vfs);
    for (let attempts = this.#below(3); attempts > 0; attempts--) {
      failAfter(disk, this.#below(12));
      await openModelLog(disk).catch(() => {});
      disk = this.#crashed(disk);
    }
    await this.#expectRecovery(disk, isAcknowledged);
  }

  async #expectRecovery(disk: CrashableMemVfs, isAcknowledged: boolean): Promise<void> {
    const opened = await openModelLog(disk);
    expect(opened.damage).toEqual([]);
    expect(opened.replicasLost).toBe(false);
    expect(suspects(opened)).toEqual([]);
    const found = await contentsOf(opened.log, opened.groups);
    const isBeforeRound = isDeepStrictEqual(found, this.#durable.states());
    if (isAcknowledged || !isBeforeRound) expectSame(found, this.#wanted.states());
    else this.#wanted = this.#durable;
    // Entries are compared by identity when they are released.
    this.#durable = this.#wanted.clone();
    this.#vfs = disk;
    this.#log = opened.log;
  }

  #addGroup(state: GroupState): void {
    this.#log.addGroup(state);
    this.#wanted.groups.set(state.group, { ...state, entries: [] });
  }

  #stage(group: number, first: number, term: number): void {
    const data = `#${++this.#number}`.padEnd(this.#below(3) === 0 ? this.#below(3000) : 5, '.');
    const staged = entries(first, first + this.#below(4), term, data);
    this.#log.stage(group, undefined, staged);
    this.#wanted.stage(group, staged);
  }

  #crashed(vfs: CrashableMemVfs): CrashableMemVfs {
    if (this.#below(3) === 0) return vfs.processCrashClone();
    return vfs.crashClone({ unsyncedKeepRatio: this.#below(3) / 2, random: this.#random });
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }
}

/** Quick when they are the same, which they nearly always are. */
function expectSame(found: GroupContents[], expected: GroupContents[]): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toEqual(expected);
}

/** Segments of a few rounds, some of them over zeros that were written ahead. */
function openModelLog(vfs: CrashableMemVfs) {
  return openLog(vfs, 12_000, undefined, 32 * 1024);
}

function failAfter(vfs: CrashableMemVfs, operations: number): void {
  let left = operations;
  vfs.onOperation = () => {
    if (left-- <= 0) throw new Error('crash');
  };
}

const steps = [
  ...['append', 'append', 'append', 'replace', 'vote', 'configure', 'restart', 'release'],
  ...['release', 'commit', 'commit', 'commit', 'commit', 'collect', 'crash'],
] as const;

describe('log beside a model', () => {
  it('recovers exactly what was acknowledged, or that and the whole round in flight', async () => {
    const step = fc.tuple(fc.constantFrom(...steps), fc.integer({ min: 1, max: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(step, { minLength: 10, maxLength: 80 }),
        async (seed, run) => {
          const pair = new Pair(seed);
          await pair.start();
          for (const [name, group] of run) await pair[name](group);
          await pair.crash();
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('log over damaged files', () => {
  it('calls a group suspect or gives back its last state, and never throws or loses count', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seeded(seed);
        const below = (bound: number) => Math.floor(random() * bound);
        const { vfs, contents, untouchedFrom } = await busyLog(random);
        const files = await vfs.list(directory);
        for (let count = 1 + below(4); count > 0; count--) {
          const name = files[below(files.length)] ?? '';
          await damage(vfs, `${directory}/${name}`, untouchedFrom(name), below);
        }
        const opened = await openModelLog(vfs);
        const trusted = opened.groups.filter(({ suspect }) => suspect === undefined);
        const expected = contents.filter(({ group }) =>
          trusted.some((state) => state.group === group),
        );
        expectSame(await contentsOf(opened.log, trusted), expected);
        const ids = (states: readonly GroupState[]) =>
          states.map(({ group, replicaId }) => ({ group, replicaId }));
        const areKnown = isDeepStrictEqual(ids(opened.groups), ids(contents));
        expect(opened.replicasLost).toBe(!areKnown);
        if (opened.damage.length === 0) expect(expected).toEqual(contents);
        const again = await openModelLog(vfs);
        expect(suspects(again)).toEqual(suspects(opened));
        expect(again.replicasLost).toBe(opened.replicasLost);
      }),
      { numRuns: 300 },
    );
  });

  it('survives any bytes at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 3 }),
        fc.boolean(),
        async (contents, hasMagic) => {
          const vfs = new CrashableMemVfs();
          await vfs.makeDirectory(directory);
          for (const [at, content] of contents.entries()) {
            if (hasMagic) content.set(bytes('DSSround').subarray(0, content.length));
            await writeFile(vfs, `${directory}/${String(at + 1).padStart(10, '0')}.log`, content);
          }
          const { groups } = await openLog(vfs);
          expect(groups).toEqual([]);
        },
      ),
    );
  });

  it('survives a file changed in any way, with at most a typed error', async () => {
    const source = new CrashableMemVfs();
    await busyLog(seeded(5), source);
    const files = await source.list(directory);
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seeded(seed);
        const vfs = source.processCrashClone();
        for (let count = 1 + Math.floor(random() * 40); count > 0; count--) {
          const file = `${directory}/${files[Math.floor(random() * files.length)]}`;
          if (!(await vfs.exists(file))) continue;
          await damage(vfs, file, Number.POSITIVE_INFINITY, (bound) =>
            Math.floor(random() * bound),
          );
        }
        await openLog(vfs).catch((error) => expect(error).toBeInstanceOf(LsmError));
      }),
      { numRuns: 150 },
    );
  });
});

/**
 * A log of several segments, with releases, restarts of groups and kills of the process. Its last round must
 * stay as it is, for a damaged last round cannot be told from a torn one.
 */
async function busyLog(random: () => number, vfs = new CrashableMemVfs()) {
  const below = (bound: number) => Math.floor(random() * bound);
  const model = new Model();
  let { log } = await openModelLog(vfs);
  for (let round = 1; round <= 25; round++) {
    const group = 1 + below(4);
    if (!model.groups.has(group) || below(12) === 0) {
      const state = newGroup(group, { replicaId: round, logStart: { index: below(3), term: 0 } });
      log.addGroup(state);
      model.groups.set(group, { ...state, entries: [] });
    }
    const { logStart, entries: all } = model.state(group);
    const first = Math.max(logStart.index, model.last(group).index - below(3)) + 1;
    const staged = entries(first, first + below(5), round);
    const hardState = { term: round, vote: group, commit: 0 };
    const released = all.filter(({ index }) => index < first)[below(20)];
    if (released !== undefined) {
      log.release(group, released.index, released.term);
      const { index, term } = released;
      model.set(group, {
        logStart: { index, term },
        entries: all.filter((entry) => entry.index > index),
      });
    }
    log.stage(group, hardState, staged);
    model.stage(group, staged);
    model.set(group, { hardState });
    await log.commitRound();
    if (round === 25) break;
    if (below(5) === 0) await log.collect();
    if (below(8) === 0) ({ log } = await openModelLog(vfs));
  }
  const last = (await scanLog(vfs, directory)).at(-1);
  const lastOffset = last?.rounds.at(-1)?.offset ?? 0;
  return {
    vfs,
    contents: model.states(),
    untouchedFrom: (name: string) =>
      name === segmentFileName(last?.segment ?? 0) ? lastOffset : Number.POSITIVE_INFINITY,
  };
}

/** Flips a bit, zeroes a block, cuts, or removes a file, below `end` only. */
async function damage(
  vfs: CrashableMemVfs,
  path: string,
  end: number,
  below: (bound: number) => number,
): Promise<void> {
  if (!(await vfs.exists(path))) return;
  const size = (await vfs.readFile(path)).length;
  const limit = Math.min(end, size);
  if (limit === 0) return;
  const kind = below(8);
  if (kind === 0 && end > size) return vfs.remove(path);
  const file = await vfs.open(path, 'write');
  if (kind === 1 && end > size) return file.truncate(below(size));
  if (kind === 2) return file.write(4096 * below(limit / 4096), new Uint8Array(4096));
  vfs.damage(path, below(limit), 1 << below(8));
}

async function writeFile(vfs: CrashableMemVfs, path: string, content: Uint8Array): Promise<void> {
  const file = await vfs.open(path, 'create');
  await file.write(0, content);
}
