import fc from 'fast-check';
import { expect } from 'vitest';
import { Db } from '../../../lsm/db.ts';
import type { KeyRange } from '../../../lsm/engine.ts';
import { InlineOffload } from '../../../lsm/offload/inline.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { hex, utf8 } from '../entries.ts';
import { aValue, prefixOf, type Tuning, tuning } from './arbitrary.ts';
import { ALL, Content, isWithin } from './content.ts';
import { expectAll, expectKey, expectWalk, hexOf, shownOf, type Walk } from './reads.ts';
import type { Subject } from './subject.ts';

type Key = Uint8Array;
type Write = readonly [key: Key, value: Uint8Array | undefined];
/** Nothing: each command knows by itself what it should find. */
type NoModel = Record<string, never>;

/** Something that is done to an engine, and that looks at what comes of it. */
class Command implements fc.AsyncCommand<NoModel, { subject: Subject }> {
  readonly #name: string;
  readonly #arguments: unknown;
  readonly #act: (subject: Subject) => Promise<void>;

  constructor(name: string, args: unknown, act: (subject: Subject) => Promise<void>) {
    this.#name = name;
    this.#arguments = args;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  run(_: NoModel, { subject }: { subject: Subject }): Promise<void> {
    return this.#act(subject);
  }

  toString(): string {
    return `${this.#name}(${fc.stringify(this.#arguments)})`;
  }
}

function command<Args>(
  name: string,
  args: fc.Arbitrary<Args>,
  act: (subject: Subject, args: Args) => Promise<void>,
): fc.Arbitrary<Command> {
  return args.map((given) => new Command(name, given, (subject) => act(subject, given)));
}

export function commandsFor(key: fc.Arbitrary<Key>, suffixBytes: number) {
  const range = rangeOf(key);
  const prefix = prefixOf(key, suffixBytes);
  const writes = writesOf(key, 30);
  const walk = walkOf(key, range);
  const write = command('write', writes, writeTogether);
  return [
    write,
    write,
    command('writeMany', writesOf(key, 200), writeTogether),
    command('get', key, getKey),
    command('first', prefix, getFirst),
    command('walk', walk, async (subject, steps) => {
      const snapshot = subject.db.snapshot();
      await expectWalk(snapshot, subject.content, steps);
      snapshot.close();
    }),
    command('hold', nothing, async (subject) => {
      const held = { snapshot: subject.db.snapshot(), content: subject.content.copy() };
      subject.held.push(held);
      if (subject.held.length > 3) subject.held.shift()?.snapshot.close();
    }),
    command('readHeld', fc.tuple(fc.nat(2), key, prefix, walk), readHeld),
    command('release', nothing, async ({ held }) => held.shift()?.snapshot.close()),
    command('flush', nothing, ({ db }) => db.flush()),
    command('freeze', nothing, async (subject) => {
      subject.db.requestFreeze();
      await subject.settle();
    }),
    command('compactWhere', fc.integer({ min: 1, max: 3 }), async ({ db }, modulus) => {
      await db.compactWhere(({ fileNumber }) => fileNumber % modulus === 0);
    }),
    command('compactFully', nothing, compactFully),
    command('replace', replacementOf(key, range), replace),
    command('checkpoint', fc.boolean(), checkpoint),
    command('meanwhile', fc.tuple(writes, key, prefix, walk), readMeanwhile),
    command('estimate', range, estimate),
    command('verify', nothing, async ({ db }) => expect((await db.verify()).damage).toEqual([])),
    command('idle', nothing, ({ db }) => db.compactionsIdle()),
    command('reopen', fc.boolean(), async (subject, flushes) => {
      if (flushes) await subject.db.flush();
      await subject.reopen();
      await expectNow(subject);
    }),
  ];
}

const nothing = fc.constant(undefined);

const rangeOf = (key: fc.Arbitrary<Key>): fc.Arbitrary<KeyRange> =>
  fc.oneof(
    fc.constant(ALL),
    key.map((lower) => ({ lower })),
    fc.tuple(key, key).map(([lower, upper]) => ({ lower, upper })),
  );

const writesOf = (key: fc.Arbitrary<Key>, maxLength: number): fc.Arbitrary<Write[]> =>
  fc.array(fc.tuple(key, fc.option(aValue, { nil: undefined, freq: 3 })), {
    minLength: 1,
    maxLength,
    size: 'max',
  });

const walkOf = (key: fc.Arbitrary<Key>, range: fc.Arbitrary<KeyRange>): fc.Arbitrary<Walk> =>
  fc.record({
    range,
    reverse: fc.boolean(),
    blocking: fc.boolean(),
    steps: fc
      .array(
        fc.oneof(
          fc.record({ kind: fc.constant('seek' as const), key }),
          fc.record({ kind: fc.constant('next' as const), count: fc.integer({ min: 1, max: 20 }) }),
          fc.record({
            kind: fc.constant('take' as const),
            count: fc.nat(20),
            bytes: fc.constantFrom(1, 100, 100_000),
          }),
        ),
        { maxLength: 5 },
      )
      .chain((steps) =>
        fc.oneof(
          fc.constant([{ kind: 'first' as const }, ...steps]),
          key.map((target) => [{ kind: 'seek' as const, key: target }, ...steps]),
        ),
      ),
  });

async function writeTogether(subject: Subject, writes: readonly Write[]): Promise<void> {
  for (const [key, value] of writes) subject.write(key, value);
  await subject.settle();
}

async function getKey(subject: Subject, key: Key): Promise<void> {
  const expected = subject.content.get(key);
  expect(hexOf(await subject.db.get(key))).toBe(expected);
  expect(hexOf(subject.db.getSync(key))).toBe(expected);
}

async function getFirst(subject: Subject, prefix: Key): Promise<void> {
  expect(shownOf(await subject.db.first(prefix))).toEqual(subject.content.first(prefix));
}

type HeldReads = readonly [index: number, key: Key, prefix: Key, walk: Walk];

async function readHeld({ held }: Subject, [index, key, prefix, walk]: HeldReads): Promise<void> {
  const one = held[index];
  if (one === undefined) return;
  const { snapshot, content } = one;
  await expectKey(snapshot, content, key);
  expect(shownOf(await snapshot.first(prefix))).toEqual(content.first(prefix));
  await expectWalk(snapshot, content, walk);
  await expectAll(snapshot, content);
}

export async function expectNow(subject: Subject): Promise<void> {
  const snapshot = subject.db.snapshot();
  await expectAll(snapshot, subject.content);
  snapshot.close();
}

async function compactFully(subject: Subject): Promise<void> {
  const { db } = subject;
  await db.flush();
  await db.compactFully();
  const { filesPerLevel, tableCount } = db.statistics();
  expect(filesPerLevel[0] ?? 0).toBe(0);
  // Nothing is left over of what was deleted: no table is there for it.
  if (subject.content.size === 0) expect(tableCount).toBe(0);
}

interface Replacement {
  readonly range: KeyRange;
  readonly entries: readonly (readonly [Key, Uint8Array])[];
  readonly outside: readonly Write[];
  readonly isAbandoned: boolean;
  readonly tuning: Tuning;
  readonly isInterrupted: boolean;
}

const replacementOf = (
  key: fc.Arbitrary<Key>,
  range: fc.Arbitrary<KeyRange>,
): fc.Arbitrary<Replacement> =>
  fc.record({
    range,
    entries: fc.array(fc.tuple(key, aValue), { maxLength: 100, size: 'max' }),
    outside: writesOf(key, 10),
    isAbandoned: fc.boolean(),
    tuning: tuning(key),
    isInterrupted: fc.boolean(),
  });

/** By what another engine has, while others write outside of the range. */
async function replace(subject: Subject, replacement: Replacement): Promise<void> {
  const { range, entries, outside, isAbandoned, isInterrupted } = replacement;
  const source = await sourceOf(subject, replacement);
  const pending = subject.db.replaceRange(range);
  let lastKey: Uint8Array | undefined;
  do {
    const snapshot = source.snapshot();
    for await (const block of snapshot.exportRange(range, lastKey)) {
      await pending.add(block.bytes);
      lastKey = block.lastKey;
      if (isInterrupted) break;
    }
    snapshot.close();
  } while (isInterrupted && (await hasMore(source, range, lastKey)));
  await source.close();
  for (const [key, value] of outside) {
    if (!isWithin(hex(key), range)) subject.write(key, value);
  }
  await subject.settle();
  if (isAbandoned) {
    await pending.abandon();
  } else {
    // The position that is noted below is that of everything, not of the range alone.
    await subject.db.flush();
    const committed = pending.commit(() => {
      subject.content.clear(range);
      for (const [key, value] of entries) {
        if (isWithin(hex(key), range)) subject.content.write(key, value);
      }
      subject.advance();
      return utf8(String(subject.position));
    });
    await committed;
  }
  await expectNow(subject);
}

async function hasMore(source: Db, range: KeyRange, after: Key | undefined): Promise<boolean> {
  if (after === undefined) return false;
  const snapshot = source.snapshot();
  const { done } = await snapshot.exportRange(range, after).next();
  snapshot.close();
  return done === false;
}

async function sourceOf(subject: Subject, { entries, tuning }: Replacement): Promise<Db> {
  const vfs = new CrashableMemVfs();
  const source = await Db.open({
    ...tuning,
    seriesSuffixBytes: subject.options.seriesSuffixBytes,
    vfs,
    directory: '/source',
    offload: new InlineOffload(vfs),
    notePositions: () => utf8(''),
  });
  for (const [key, value] of entries) source.put(key, 0, key.length, value, 0, value.length);
  await source.waitForRoom();
  return source;
}

async function checkpoint(subject: Subject, goesOn: boolean): Promise<void> {
  const target = `/checkpoint${++subject.checkpoints}`;
  await subject.db.checkpoint(target);
  const copy = await subject.openDb(target);
  if (goesOn) {
    // What becomes of one side is nothing to the other.
    const own = new Content(subject.content.entries());
    const value = utf8('of the copy');
    for (const [key] of subject.content.entries().slice(0, 5)) {
      const bytes = Buffer.from(key, 'hex');
      copy.put(bytes, 0, bytes.length, value, 0, value.length);
      own.write(bytes, value);
    }
    await copy.flush();
    await copy.compactFully();
    const snapshot = copy.snapshot();
    await expectAll(snapshot, own);
    snapshot.close();
  } else {
    const snapshot = copy.snapshot();
    await expectAll(snapshot, subject.content);
    snapshot.close();
    expect((await copy.verify()).damage).toEqual([]);
  }
  await copy.close();
  await expectNow(subject);
}

type Reads = readonly [writes: readonly Write[], key: Key, prefix: Key, walk: Walk];

/** Reads while tables come and go. */
async function readMeanwhile(subject: Subject, [writes, key, prefix, walk]: Reads): Promise<void> {
  const { db } = subject;
  const under = [db.flush(), db.compactFully(), db.compactWhere(() => true)];
  await getKey(subject, key);
  await getFirst(subject, prefix);
  const early = db.snapshot();
  const before = subject.content.copy();
  await writeTogether(subject, writes);
  under.push(db.flush());
  await getKey(subject, key);
  const snapshot = db.snapshot();
  await expectWalk(snapshot, subject.content, walk);
  await expectAll(snapshot, subject.content);
  await expectAll(early, before);
  early.close();
  await Promise.all(under);
  await expectWalk(snapshot, subject.content, walk);
  await getFirst(subject, prefix);
  snapshot.close();
}

async function estimate({ db }: Subject, range: KeyRange): Promise<void> {
  const { bytes, entries } = db.estimate(range);
  expect(bytes).toBeGreaterThanOrEqual(0);
  expect(bytes).toBeLessThanOrEqual(db.diskBytes);
  expect(entries).toBeGreaterThanOrEqual(0);
}
