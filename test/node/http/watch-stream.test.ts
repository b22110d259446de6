import { describe, expect, it } from 'vitest';
import { zeroCounters } from '../../../broker/counters.ts';
import type { WatchedValue } from '../../../broker/data-plane.ts';
import { DEFAULT_LIMITS } from '../../../broker/limits.ts';
import { WatchStream } from '../../../node/http/watch-stream.ts';
import { FakeEnv } from '../fake-env.ts';

function fixture({ outboxBytesMax = DEFAULT_LIMITS.outboxBytesMax } = {}) {
  const world = new FakeEnv();
  const written: string[] = [];
  const client = { reads: true, overflows: 0, position: 'p1' as string | undefined };
  const counters = zeroCounters();
  const limits = { ...DEFAULT_LIMITS, outboxBytesMax };
  const stream = new WatchStream(
    { env: world.env, limits, counters },
    {
      write: (text) => {
        written.push(text);
        return client.reads;
      },
      overflowed: () => {
        client.overflows += 1;
      },
      position: () => client.position,
    },
  );
  /** What was written since the last call, in short. */
  const events = () => {
    world.turn();
    const text = written.splice(0).join('');
    return text.split('\n\n').flatMap((block) => {
      const [, event] = /^event: (.*)$/m.exec(block) ?? [];
      const [, id] = /^id: (.*)$/m.exec(block) ?? [];
      const [, data = '{}'] = /^data: (.*)$/m.exec(block) ?? [];
      const { key, value, deleted } = JSON.parse(data);
      if (event === 'value') return deleted === true ? `${key} deleted` : `${key}=${value}`;
      return event ?? (id === undefined ? [] : `id ${id}`);
    });
  };
  return { stream, events, client, counters, world, written };
}

let versions = 0;
const item = (key: string, value: string, snapshot = false): WatchedValue => {
  versions += 1;
  const bytes = { key: Buffer.from(key), value: Buffer.from(value) };
  return { ...bytes, version: versions, time: versions, deleted: value === '', snapshot };
};

describe('a watch as server-sent events', () => {
  it('is a snapshot, then changes, told once a turn; an id says how far it is', () => {
    const { stream, events, written, world } = fixture();
    stream.beginSnapshot();
    expect(stream.value(item('a', '1', true))).toBeUndefined();
    expect(written).toEqual([]);
    expect(events()).toEqual(['snapshot-begin', 'a=1']);
    stream.snapshotDone();
    void stream.value(item('a', '2'));
    void stream.value(item('b', ''));
    expect(events()).toEqual(['snapshot-complete', 'a=2', 'b deleted', 'id p1']);
    world.turn();
    expect(written).toEqual([]);
  });

  it('tells the JSON of dss/watch', () => {
    const { stream, world, written } = fixture();
    void stream.value({ ...item('a"b', '1'), version: 9, time: 4096 });
    world.turn();
    expect(written).toEqual([
      'event: value\ndata: {"key":"a\\"b","version":9,"time":1577836800001,"value":"1","snapshot":false}\n\n',
    ]);
  });

  it('names a position at most once a second, and the last one without waiting for a value', () => {
    const { stream, events, client, world } = fixture();
    stream.snapshotDone();
    expect(events()).toEqual(['snapshot-complete', 'id p1']);
    client.position = 'p2';
    void stream.value(item('a', '1'));
    expect(events()).toEqual(['a=1']);
    world.pass(999);
    expect(events()).toEqual([]);
    world.pass(1);
    expect(events()).toEqual(['id p2']);
    world.pass(5_000);
    expect(events()).toEqual([]);
  });

  it('names none while something waits, or the snapshot is not whole', () => {
    const { stream, events, client, world } = fixture();
    void stream.value(item('a', '1', true));
    expect(events()).toEqual(['a=1']);
    stream.snapshotDone();
    client.reads = false;
    expect(events()).toEqual(['snapshot-complete', 'id p1']);
    void stream.value(item('a', '2'));
    world.pass(2_000);
    expect(events()).toEqual([]);
    client.reads = true;
    stream.drained();
    expect(events()).toEqual(['a=2', 'id p1']);
  });

  it('keeps of each key the newest for a client that does not keep up, in the order of arrival', () => {
    const { stream, events, client, counters } = fixture();
    client.reads = false;
    stream.snapshotDone();
    expect(events()).toEqual(['snapshot-complete', 'id p1']);
    for (const [key, value] of ['a1', 'b1', 'a2', 'b', 'a3'])
      void stream.value(item(key as string, value ?? ''));
    expect(events()).toEqual([]);
    client.reads = true;
    stream.drained();
    expect(events().filter((event) => !event.startsWith('id'))).toEqual(['a=3', 'b deleted']);
    expect(counters).toMatchObject({ deliveriesConflated: 3, deliveries: 2 });
  });

  it('holds a snapshot back until the client has read, and ends it in its place', async () => {
    const { stream, events, client } = fixture();
    client.reads = false;
    void stream.value(item('a', '1', true));
    expect(events()).toEqual(['a=1']);
    const held = stream.value(item('b', '1', true));
    expect(held).toBeInstanceOf(Promise);
    stream.snapshotDone();
    void stream.value(item('c', '1'));
    void stream.value(item('b', '2'));
    client.reads = true;
    stream.drained();
    await held;
    expect(events()).toEqual(['b=2', 'snapshot-complete', 'c=1', 'id p1']);
  });

  it('writes on within a turn, and waits again when the client is full again', () => {
    const { stream, events, client, written } = fixture();
    client.reads = false;
    const large = 'x'.repeat(40_000);
    for (const key of ['a', 'b', 'c', 'd']) void stream.value(item(key, large));
    expect(written.length).toBe(1);
    client.reads = true;
    stream.drained();
    expect(events().map((event) => event[0])).toEqual(['a', 'b', 'c', 'd']);
  });

  it('ends with a client that leaves more unread than it may', () => {
    const { stream, events, client, counters, world } = fixture({ outboxBytesMax: 1_000 });
    client.reads = false;
    void stream.value(item('a', '1'));
    events();
    for (let i = 0; i < 20; i++) void stream.value(item('same', 'x'.repeat(500)));
    expect(client.overflows).toBe(0);
    for (let i = 0; i < 20; i++) void stream.value(item(`k${i}`, 'x'.repeat(500)));
    expect([client.overflows, counters.slowSubscribers]).toEqual([1, 1]);
    stream.close();
    expect(world.timersPending).toBe(0);
  });

  it('shows every 15 seconds that it is there', () => {
    const { stream, world, written } = fixture();
    world.pass(15_000);
    world.turn();
    world.pass(15_000);
    world.turn();
    expect(written).toEqual([': still here\n\n', ': still here\n\n']);
    stream.close();
    void stream.value(item('a', '1'));
    stream.snapshotDone();
    world.turn();
    expect([written.length, world.timersPending]).toEqual([2, 0]);
  });
});
