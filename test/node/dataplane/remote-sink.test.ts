import { describe, expect, it } from 'vitest';
import { RemoteSink } from '../../../node/dataplane/remote-sink.ts';
import type { WatchBatch } from '../../../node/shard/watch-feed.ts';
import type { RpcBody, RpcHub } from '../../../node/transport/rpc.ts';

function fixture(creditBytes: number) {
  const posted: RpcBody[] = [];
  let closed = 0;
  const rpc = { post: (_n: string, _c: string, _i: number, body: RpcBody) => posted.push(body) };
  const sink = new RemoteSink({
    rpc: rpc as unknown as RpcHub,
    node: 'n',
    id: 1,
    creditBytes,
    refuse: (reason) => void posted.push({ watchClose: { reason } }),
    onClose: () => {
      closed += 1;
    },
  });
  return { posted, sink, closedTimes: () => closed };
}

function batch(part: Partial<WatchBatch>, valueBytes = 0): WatchBatch {
  const item = {
    key: new Uint8Array(0),
    value: new Uint8Array(valueBytes),
    version: 1,
    time: 1,
    deleted: false,
  };
  return {
    fromIndex: 0,
    toIndex: 9,
    snapshot: true,
    snapshotDone: false,
    highestVersion: 0,
    items: valueBytes > 0 ? [item] : [],
    ...part,
  };
}

async function isPending(promise: Promise<void> | undefined): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

describe('a watch for another node', () => {
  it('numbers the messages of its snapshot, the signs of life among them', () => {
    const { posted, sink } = fixture(1_000);
    void sink.deliver(batch({}, 10));
    sink.keepAlive();
    void sink.deliver(batch({ snapshotDone: true }, 10));
    sink.keepAlive();
    void sink.deliver(batch({ snapshot: false, fromIndex: 9, toIndex: 12 }, 10));
    sink.keepAlive();
    expect(
      posted.map(({ watchEvents }) => [
        watchEvents?.snapshot,
        watchEvents?.fromIndex,
        watchEvents?.toIndex,
      ]),
    ).toEqual([
      [true, 0, 9],
      [true, 1, 1],
      [true, 2, 9],
      [false, 9, 9],
      [false, 9, 12],
      [false, 12, 12],
    ]);
  });

  it('holds its snapshot back until there is credit, of which a lost message is made up by the next', async () => {
    const { sink } = fixture(100);
    const held = sink.deliver(batch({}, 500));
    expect(await isPending(held)).toBe(true);
    sink.credit(300);
    expect(await isPending(held)).toBe(true);
    sink.credit(300);
    expect(await isPending(held), 'the same credit told twice').toBe(true);
    sink.credit(532);
    await held;
    expect(sink.deliver(batch({}, 10))).toBeUndefined();
  });

  it('counts credit modulo 2^32', async () => {
    const { sink } = fixture(100);
    sink.credit(0xffff_ff00);
    const held = sink.deliver(batch({}, 10));
    expect(held).toBeUndefined();
    sink.credit(0x100);
    expect(sink.deliver(batch({}, 10))).toBeUndefined();
  });

  it('closes when its changes run too far ahead, and says so', () => {
    const { posted, sink, closedTimes } = fixture(0);
    for (let index = 9; closedTimes() === 0; index++) {
      expect(index).toBeLessThan(20);
      void sink.deliver(
        batch({ snapshot: false, fromIndex: index, toIndex: index + 1 }, 1024 * 1024),
      );
    }
    expect(posted.at(-1)?.watchClose?.reason).toBe('too slow');
    const count = posted.length;
    void sink.deliver(batch({ snapshot: false }, 1));
    sink.close();
    expect(posted).toHaveLength(count);
    expect(closedTimes()).toBe(1);
  });

  it('that is closed lets its snapshot go', async () => {
    const { sink } = fixture(0);
    const held = sink.deliver(batch({}, 10));
    sink.close();
    await held;
  });
});
