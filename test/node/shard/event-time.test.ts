import { describe, expect, it } from 'vitest';
import { readShard } from '../../../node/shard/shard-reader.ts';
import { batchOf, openEngine, stateMachine, text, utf8, viewOf, writeEntry } from '../support.ts';

async function shard() {
  const engine = await openEngine();
  const machine = stateMachine(engine);
  const told: [value: string, time: number][] = [];
  const observer = {
    wantsWrites: true,
    wantsReservedWrites: true,
    written: (
      ...[bytes, , , valueStart, valueEnd, , time]: Parameters<
        import('../../../node/shard/apply-writes.ts').WriteObserver['written']
      >
    ) => void told.push([text(bytes.slice(valueStart, valueEnd)), time]),
  };
  let index = 0;
  const write = async (puts: Parameters<typeof batchOf>[0], baseVersion: number) => {
    index += 1;
    const entry = writeEntry(index, batchOf(puts, { number: index }), baseVersion);
    for (let p = machine.prepare(entry, observer); p; p = machine.prepare(entry, observer)) await p;
    machine.apply(entry, observer);
  };
  const read = async (kind: 'get' | 'history') => {
    const snapshot = engine.snapshot();
    const key = utf8('k');
    const range = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100, ascending: true };
    const query = kind === 'get' ? { kind, key } : { kind, key, ...range };
    const { items } = await readShard(snapshot, viewOf(machine), query);
    snapshot.close();
    return items.map(({ value, time, version }) => [text(value), time, version]);
  };
  return { engine, write, read, told };
}

describe('a write with an event time', () => {
  it('becomes current only if none has a greater time; a late one enters history and nobody is told', async () => {
    const { engine, write, read, told } = await shard();
    await write([['k', 'at 500', 500]], 1_000);
    await write([['k', 'late', 300]], 2_000);
    await engine.flush();
    await write([['k', 'later still', 400]], 3_000);
    expect(await read('get')).toEqual([['at 500', 500, 1_000]]);
    await write([['k', 'newer', 600]], 4_000);
    expect(await read('get')).toEqual([['newer', 600, 4_000]]);
    expect((await read('history')).map(([value]) => value)).toEqual([
      'late',
      'later still',
      'at 500',
      'newer',
    ]);
    expect(told).toEqual([
      ['at 500', 500],
      ['newer', 600],
    ]);
  });

  it('is never later than its version, and one without always becomes current', async () => {
    const { write, read, told } = await shard();
    await write([['k', 'from the future', 9_000_000]], 1_000);
    expect(await read('get')).toEqual([['from the future', 1_000, 1_000]]);
    await write([['k', 'now']], 1_001);
    expect(await read('get')).toEqual([['now', 1_001, 1_001]]);
    expect(told).toHaveLength(2);
  });

  it('that was sent before is the same reading: the later version replaces it', async () => {
    const { write, read } = await shard();
    await write([['k', 'first', 500]], 1_000);
    await write([['k', 'again', 500]], 2_000);
    expect(await read('history')).toEqual([['again', 500, 2_000]]);
  });

  it('is judged against what stands before it in the same batch', async () => {
    const { write, told } = await shard();
    await write(
      [
        ['k', 'b', 200],
        ['k', 'a', 100],
        ['k', 'now'],
        ['k', 'c', 300],
      ],
      1_000,
    );
    expect(told).toEqual([
      ['b', 200],
      ['now', 1_002],
    ]);
  });
});
