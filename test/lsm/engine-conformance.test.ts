import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { compareBytes } from '../../lsm/bytes.ts';
import type { EngineSnapshot, KeyRange } from '../../lsm/engine.ts';
import { scan } from '../support/scan.ts';
import { BOTH, type EngineOptions, TestEngine } from './both-engines.ts';
import { contentOf, hex, keyAt, seriesKey, text, utf8 } from './engine-support.ts';
import { ruleFilterModule } from './rule-filter.ts';

// What every engine behind the port promises (lsm/engine.ts), on real files.

const EVERYTHING: KeyRange = { lower: new Uint8Array(0) };
const opened: TestEngine[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.remove();
});

const keyOf = (series: number, time: number) => keyAt(seriesKey(series % 5, `s${series}`), time);
const seriesOf = (series: number) => seriesKey(series % 5, `s${series}`);
const get = async (snapshot: EngineSnapshot, key: Uint8Array) => {
  const value = await snapshot.get(key);
  return value && text(value);
};

describe.each(BOTH)('the engine %s', (name, open) => {
  const start = async (options?: EngineOptions) => {
    const subject = await TestEngine.open(open, options);
    opened.push(subject);
    return subject;
  };

  it('gives back the newest of each key, from memory and from the disk', async () => {
    const subject = await start();
    subject.put(keyOf(1, 10), 'first');
    subject.put(keyOf(1, 10), 'second');
    subject.put(keyOf(2, 10), '');
    const look = async () => {
      const snapshot = subject.engine.snapshot();
      const found = [keyOf(1, 10), keyOf(2, 10), keyOf(1, 11), keyOf(3, 10)];
      const values = await Promise.all(found.map((key) => get(snapshot, key)));
      snapshot.close();
      return values;
    };
    expect(await look()).toEqual(['second', '', undefined, undefined]);
    await subject.engine.flush();
    expect(await look()).toEqual(['second', '', undefined, undefined]);
    subject.put(keyOf(1, 10), 'third');
    expect(await look()).toEqual(['third', '', undefined, undefined]);
    await subject.engine.flush();
    await subject.reopen();
    expect(await look()).toEqual(['third', '', undefined, undefined]);
  });

  it('answers at once from memory, and gives away bytes that stay as they are', async () => {
    const subject = await start();
    subject.put(keyOf(1, 10), 'mine');
    const snapshot = subject.engine.snapshot();
    const value = snapshot.get(keyOf(1, 10)) as Uint8Array;
    expect(text(value)).toBe('mine');
    value.fill(0);
    expect(await get(snapshot, keyOf(1, 10))).toBe('mine');
    snapshot.close();
  });

  it('does not let a snapshot see what comes later', async () => {
    const subject = await start();
    for (let time = 1; time <= 30; time++) subject.put(keyOf(time % 3, time), `old ${time}`);
    await subject.engine.flush();
    subject.put(keyOf(1, 40), 'in memory');
    const snapshot = subject.engine.snapshot();
    const before = await contentOf(snapshot);
    expect(before.size).toBe(31);

    const cursor = snapshot.cursor(EVERYTHING);
    await cursor.seekFirst();
    const firstKey = hex(cursor.key);
    for (let time = 1; time <= 40; time++) subject.put(keyOf(time % 3, time), `new ${time}`);
    await subject.engine.flush();
    await subject.engine.compactFully();
    expect(hex(cursor.key)).toBe(firstKey);
    cursor.close();

    expect(await contentOf(snapshot)).toEqual(before);
    expect(text((await snapshot.first(seriesOf(1)))?.value ?? utf8(''))).toBe('in memory');
    snapshot.close();
    const now = subject.engine.snapshot();
    expect(await get(now, keyOf(1, 40))).toBe('new 40');
    now.close();
  });

  it('finds the first of a prefix: the newest time, wherever it was written', async () => {
    const subject = await start();
    subject.put(keyOf(1, 20), 'newest, written first');
    await subject.engine.flush();
    subject.put(keyOf(1, 10), 'late');
    subject.put(keyOf(6, 5), 'neighbour');
    const snapshot = subject.engine.snapshot();
    const first = async (prefix: Uint8Array) => {
      const found = await snapshot.first(prefix);
      return found && text(found.value);
    };
    expect(await first(seriesOf(1))).toBe('newest, written first');
    expect(await first(seriesOf(1).slice(0, -2))).toBe('newest, written first');
    expect(await first(seriesOf(6))).toBe('neighbour');
    expect(await first(seriesOf(7))).toBe(undefined);
    expect(await first(new Uint8Array(0))).toBe('newest, written first');
    snapshot.close();
  });

  it('reads like a sorted map, both ways, in any range', async () => {
    const place = fc.tuple(fc.nat(6), fc.nat(20));
    const rounds = fc.array(fc.array(place, { maxLength: 25 }), { minLength: 1, maxLength: 6 });
    const query = fc.record({ lower: place, upper: fc.option(place), seek: place, ahead: place });
    await fc.assert(
      fc.asyncProperty(rounds, fc.array(query, { maxLength: 6 }), async (written, queries) => {
        const subject = await TestEngine.open(open, { memtableBytes: 2000 });
        const model = new Map<string, string>();
        for (const [round, places] of written.entries()) {
          for (const [series, time] of places) {
            const value = `${round} of ${series}, ${time}`;
            subject.put(keyOf(series, time), value);
            model.set(hex(keyOf(series, time)), value);
          }
          await subject.engine.waitForRoom();
          if (round % 2 === 0) await subject.engine.flush();
        }
        const snapshot = subject.engine.snapshot();
        for (const { lower, upper, seek, ahead } of queries) {
          const range = { lower: keyOf(...lower), upper: upper ? keyOf(...upper) : undefined };
          const seeks = [keyOf(...seek), keyOf(...ahead)];
          for (const reverse of [false, true])
            await compareReads(snapshot, model, range, reverse, seeks);
        }
        snapshot.close();
        await subject.remove();
      }),
      { numRuns: 25 },
    );
  });

  it('takes entries in chunks', async () => {
    const subject = await start();
    for (let time = 0; time < 50; time++) subject.put(keyOf(1, time), `${time}`);
    await subject.engine.flush();
    for (let time = 50; time < 60; time++) subject.put(keyOf(1, time), `${time}`);
    const snapshot = subject.engine.snapshot();
    for (const reverse of [false, true]) {
      const cursor = snapshot.cursor(EVERYTHING, { reverse });
      await cursor.seekFirst();
      const seen: string[] = [];
      for (;;) {
        const chunk = await cursor.take(7, 1_000_000);
        if (chunk.length === 0) break;
        expect(chunk.length).toBeLessThanOrEqual(7);
        seen.push(...chunk.map(({ value }) => text(value)));
      }
      const expected = Array.from({ length: 60 }, (_, time) => `${59 - time}`);
      expect(seen).toEqual(reverse ? expected.toReversed() : expected);
      expect(cursor.valid).toBe(false);
      await cursor.seekFirst();
      expect(await cursor.take(1000, 1)).toHaveLength(1);
      cursor.close();
    }
    snapshot.close();
  });

  it('announces positions when they are durable, and comes back with them', async () => {
    const subject = await start();
    expect(subject.flushedPosition).toBe(undefined);
    subject.position = 1;
    subject.put(keyOf(1, 1), 'kept');
    await subject.engine.flush();
    expect(subject.flushedPosition).toBe('1');
    const announced = subject.events.filter(({ kind }) => kind === 'positions-flushed');
    expect(announced.at(-1)).toMatchObject({ positions: utf8('1') });
    subject.position = 2;
    subject.put(keyOf(1, 2), 'lost');
    await subject.reopen();
    expect(subject.flushedPosition).toBe('1');
    const snapshot = subject.engine.snapshot();
    expect([...(await contentOf(snapshot)).values()]).toEqual(['kept']);
    snapshot.close();
    subject.position = 3;
    await subject.engine.flush();
    await subject.reopen();
    expect(subject.flushedPosition).toBe('3');
  });

  it('keeps together what is written between two looks for room', async () => {
    const subject = await start({ memtableBytes: 2000 });
    for (subject.position = 1; subject.position <= 60; subject.position++) {
      await subject.engine.waitForRoom();
      for (let series = 0; series < 5; series++) {
        subject.put(keyOf(series, subject.position), `${subject.position}${'.'.repeat(30)}`);
      }
    }
    await subject.reopen();
    const position = Number(subject.flushedPosition);
    expect(position).toBeGreaterThan(10);
    const snapshot = subject.engine.snapshot();
    // It is noted before the writes of its round.
    expect(
      (await scan(snapshot, { lower: new Uint8Array(0), upper: Uint8Array.of(9) })).length,
    ).toBe((position - 1) * 5);
    snapshot.close();
  });

  it('makes writers wait when too much is unwritten, and lets them go on', async () => {
    const subject = await start({ memtableBytes: 2000, frozenMemtablesMax: 1 });
    let waits = 0;
    for (let time = 0; time < 400; time++) {
      subject.put(keyOf(1, time), '.'.repeat(100));
      const room = subject.engine.waitForRoom();
      if (room === undefined) continue;
      waits++;
      await room;
    }
    expect(waits).toBeGreaterThan(0);
    expect(subject.engine.statistics().stalls).toBeGreaterThan(0);
    await subject.engine.flush();
    const snapshot = subject.engine.snapshot();
    expect((await contentOf(snapshot)).size).toBe(400);
    snapshot.close();
  });

  it('freezes on request', async () => {
    const subject = await start();
    subject.position = 7;
    subject.put(keyOf(1, 1), 'one');
    subject.engine.requestFreeze();
    expect(subject.engine.waitForRoom()).toBe(undefined);
    await subject.engine.flush();
    expect(subject.flushedPosition).toBe('7');
  });

  it('drops what the compaction filter drops, and says what it has judged', async () => {
    let cutoff = 0;
    const subject = await start({
      borders: [0, 1, 2, 3, 4].map((slot) => Uint8Array.of(slot)),
      compactionFilter: { module: ruleFilterModule, state: () => utf8(String(cutoff)) },
    });
    for (let time = 1; time <= 40; time++) {
      for (let series = 0; series < 5; series++) subject.put(keyOf(series, time), `${time}`);
    }
    subject.put(keyOf(2, 41), 'tombstone');
    await subject.engine.flush();
    await subject.engine.compactFully();
    cutoff = 30;
    const seen: number[] = [];
    const result = await subject.engine.compactWhere((table) => {
      seen.push(table.fileNumber);
      return table.smallestKey[0] !== 0;
    });
    // Slot 0 was not wanted; elsewhere 29 of 40 are too old.
    expect(result.droppedEntries).toBe(29 * 4);
    expect(new Set(seen).size).toBe(seen.length);
    const again: number[] = [];
    await subject.engine.compactWhere((table) => {
      again.push(table.fileNumber);
      return false;
    });
    for (const judged of result.judgedFileNumbers) expect(again).toContain(judged);

    cutoff = 42;
    const all = await subject.engine.compactFully();
    expect(all.droppedEntries).toBe(40 + 11 * 4 + 1);
    const snapshot = subject.engine.snapshot();
    expect(await contentOf(snapshot)).toEqual(new Map());
    snapshot.close();
  });

  it('replaces a range by what was exported elsewhere', async () => {
    const source = await start();
    for (let time = 1; time <= 500; time++) source.put(keyOf(time % 5, time), `new ${time}`);
    await source.engine.flush();
    source.put(keyOf(1, 501), 'new, in memory');
    const subject = await start();
    for (let time = 1; time <= 60; time++) subject.put(keyOf(time % 5, time), `old ${time}`);
    await subject.engine.flush();
    subject.put(keyOf(2, 61), 'old, in memory');
    subject.position = 5;

    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(3) };
    const exported = source.engine.snapshot();
    const replacement = subject.engine.replaceRange(range);
    for await (const { bytes } of exported.exportRange(range)) await replacement.add(bytes);
    await replacement.commit((flushed) => utf8(`6 after ${flushed && text(flushed)}`));
    expect(subject.flushedPosition).toBe('6 after 5');

    const expected = async () => {
      const [mine, theirs] = [subject.engine.snapshot(), exported];
      const inside = await scan(theirs, range);
      expect(await scan(mine, range)).toEqual(inside);
      expect(inside.length).toBe(201);
      const outside = [...(await contentOf(mine)).values()].filter((value) => /old/.test(value));
      expect(outside).toHaveLength(36);
      mine.close();
    };
    await expected();
    await subject.reopen();
    expect(subject.flushedPosition).toBe('6 after 5');
    await expected();
    exported.close();

    subject.put(keyOf(1, 502), 'after it');
    const emptied = subject.engine.replaceRange(range);
    await emptied.commit(() => utf8('7'));
    const snapshot = subject.engine.snapshot();
    expect(await scan(snapshot, range)).toEqual([]);
    snapshot.close();
  });

  it('has no positions of before a replacement after those of it, whoever writes meanwhile', async () => {
    const subject = await start({ frozenMemtablesMax: 100 });
    subject.put(keyOf(1, 1), 'old');
    subject.position = 1;
    let isCommitted = false;
    const replacement = subject.engine.replaceRange({ lower: Uint8Array.of(1) });
    const committing = replacement.commit(() => {
      subject.position = 2;
      return utf8('2');
    });
    const writing = (async () => {
      for (let time = 1; !isCommitted; time++) {
        subject.put(Uint8Array.of(0, 1, 0, ...keyOf(1, time)), 'elsewhere');
        subject.engine.requestFreeze();
        await subject.engine.waitForRoom();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await committing;
    isCommitted = true;
    await writing;
    await subject.reopen();
    expect(subject.flushedPosition).toBe('2');
  });

  it('goes on with an export where it was interrupted', async () => {
    const source = await start();
    for (let time = 1; time <= 3000; time++) source.put(keyOf(1, time), '.'.repeat(60));
    await source.engine.flush();
    const snapshot = source.engine.snapshot();
    const whole: Uint8Array[] = [];
    for await (const { lastKey } of snapshot.exportRange(EVERYTHING)) whole.push(lastKey);
    expect(whole.length).toBeGreaterThan(2);
    const rest: Uint8Array[] = [];
    for await (const { lastKey } of snapshot.exportRange(EVERYTHING, whole[0])) rest.push(lastKey);
    expect(rest.at(-1)).toEqual(whole.at(-1));
    expect(rest.length).toBe(whole.length - 1);
    snapshot.close();
  });

  it('takes no damaged block', async () => {
    const source = await start();
    for (let time = 1; time <= 20; time++) source.put(keyOf(1, time), `${time}`);
    const snapshot = source.engine.snapshot();
    const subject = await start();
    subject.put(keyOf(1, 99), 'mine');
    const replacement = subject.engine.replaceRange(EVERYTHING);
    for await (const { bytes } of snapshot.exportRange(EVERYTHING)) {
      const damaged = bytes.slice();
      damaged[10] = (damaged[10] as number) ^ 1;
      await expect(replacement.add(damaged)).rejects.toMatchObject({ code: 'CORRUPTION' });
    }
    await replacement.abandon();
    const after = subject.engine.snapshot();
    expect([...(await contentOf(after)).values()]).toEqual(['mine']);
    for (const each of [snapshot, after]) each.close();
  });

  // classic-level has no way back once it has begun: the range stays empty, and is known to be.
  const left = name === 'lsm' ? ['old'] : [];
  it.each(['abandoned', 'interrupted'])('leaves a replacement %s behind', async (how) => {
    const source = await start();
    source.put(keyOf(1, 1), 'new');
    const snapshot = source.engine.snapshot();
    const subject = await start();
    subject.put(keyOf(1, 1), 'old');
    subject.put(keyOf(2, 1), 'elsewhere');
    await subject.engine.flush();
    const range = { lower: Uint8Array.of(1), upper: Uint8Array.of(2) };
    const replacement = subject.engine.replaceRange(range);
    for await (const { bytes } of snapshot.exportRange(range)) await replacement.add(bytes);
    if (how === 'abandoned') await replacement.abandon();
    await subject.reopen();
    const after = subject.engine.snapshot();
    expect([...(await contentOf(after)).values()]).toEqual([...left, 'elsewhere']);
    for (const each of [snapshot, after]) each.close();
    const again = subject.engine.replaceRange(range);
    await again.commit(() => utf8('1'));
  });

  it('says so when it is closed', async () => {
    const subject = await start();
    const { engine } = subject;
    const snapshot = engine.snapshot();
    await engine.close();
    const closed = { code: 'ENGINE_CLOSED' };
    const shouldThrow = (use: () => unknown) =>
      expect((async () => await use())()).rejects.toMatchObject(closed);
    await shouldThrow(() => subject.put(keyOf(1, 1), ''));
    await shouldThrow(() => engine.waitForRoom());
    await shouldThrow(() => engine.flush());
    await shouldThrow(() => engine.snapshot());
    await shouldThrow(() => engine.compactFully());
    await shouldThrow(() => snapshot.first(seriesOf(1)));
    await engine.close();
  });
});

/** The same seeks and moves through a cursor and through the model. */
async function compareReads(
  snapshot: EngineSnapshot,
  model: ReadonlyMap<string, string>,
  { lower, upper }: KeyRange,
  reverse: boolean,
  seeks: readonly Uint8Array[],
): Promise<void> {
  const keys = [...model.keys()]
    .map((key) => Uint8Array.from(Buffer.from(key, 'hex')))
    .filter((key) => compareBytes(key, lower) >= 0)
    .filter((key) => upper === undefined || compareBytes(key, upper) < 0)
    .sort((a, b) => compareBytes(a, b) * (reverse ? -1 : 1));
  const cursor = snapshot.cursor({ lower, upper }, { reverse });
  await cursor.seekFirst();
  for (const key of keys) {
    expect(cursor.valid && hex(cursor.key)).toBe(hex(key));
    expect(text(cursor.value)).toBe(model.get(hex(key)));
    await cursor.next();
  }
  expect(cursor.valid).toBe(false);
  for (const target of seeks) {
    await cursor.seek(target);
    const at = keys.findIndex((key) => compareBytes(key, target) * (reverse ? -1 : 1) >= 0);
    expect(cursor.valid ? hex(cursor.key) : undefined).toBe(
      at < 0 ? undefined : hex(keys[at] as Uint8Array),
    );
    if (!cursor.valid) continue;
    await cursor.next();
    const next = keys[at + 1];
    expect(cursor.valid ? hex(cursor.key) : undefined).toBe(next && hex(next));
  }
  cursor.close();
}
