import { describe, expect, it } from 'vitest';
import { ChunkWindow } from '../../../node/shard/chunk-window.ts';
import { cluster } from '../../../protos/index.ts';

const { SnapshotStatus } = cluster;
const { SNAPSHOT_WANTED, SNAPSHOT_REFUSED } = SnapshotStatus;
type Reply = cluster.SnapshotReply.$Properties | undefined;

/** Takes chunks in order, as a receiver does; answers when it is told to. */
class Receiver {
  readonly sent: number[] = [];
  readonly waiting: (() => void)[] = [];
  loses: (number: number, times: number) => boolean = () => false;
  status: cluster.SnapshotStatus = SNAPSHOT_WANTED;
  taken = 0;

  receive(number: number): Promise<Reply> {
    const times = this.sent.filter((each) => each === number).length;
    this.sent.push(number);
    const isLost = this.loses(number, times);
    if (!isLost && number === this.taken) this.taken += 1;
    const reply = { status: this.status, nextNumber: this.taken };
    return new Promise((resolve) => this.waiting.push(() => resolve(isLost ? undefined : reply)));
  }

  /** Answers what came in, and what comes in then. */
  async answer(): Promise<void> {
    while (this.waiting.length > 0) {
      this.waiting.shift()?.();
      for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    }
  }
}

function windowOver(receiver: Receiver): ChunkWindow {
  const send = (number: number) => receiver.receive(number);
  return new ChunkWindow({ bytesMax: 100, triesMax: 3, send, pause: async () => {} });
}

const CHUNK = [new Uint8Array(0)];

describe('Chunks on their way', () => {
  it('are as many as the bytes allow, and one of any size', async () => {
    const receiver = new Receiver();
    const chunks = windowOver(receiver);
    await chunks.add(CHUNK, 500);
    const second = chunks.add(CHUNK, 60);
    expect(receiver.sent).toEqual([0]);
    await receiver.answer();
    expect(await second).toBe(true);
    await chunks.add(CHUNK, 40);
    void chunks.add(CHUNK, 1);
    expect(receiver.sent).toEqual([0, 1, 2]);
    await receiver.answer();
    expect(receiver.sent).toEqual([0, 1, 2, 3]);
    expect(chunks.count).toBe(4);
  });

  it('are sent again with all that followed the one that was lost', async () => {
    const receiver = new Receiver();
    receiver.loses = (number, times) => number === 1 && times === 0;
    const chunks = windowOver(receiver);
    for (let i = 0; i < 4; i++) await chunks.add(CHUNK, 25);
    const settled = chunks.settle();
    await receiver.answer();
    expect(await settled).toBe(true);
    expect(receiver.sent).toEqual([0, 1, 2, 3, 1, 2, 3]);
    expect(receiver.taken).toBe(4);
  });

  it('come to an end when one is lost again and again, or refused', async () => {
    for (const isRefused of [false, true]) {
      const receiver = new Receiver();
      receiver.loses = () => !isRefused;
      receiver.status = isRefused ? SNAPSHOT_REFUSED : SNAPSHOT_WANTED;
      const chunks = windowOver(receiver);
      await chunks.add(CHUNK, 25);
      await chunks.add(CHUNK, 25);
      const settled = chunks.settle();
      await receiver.answer();
      expect(await settled).toBe(false);
      expect(receiver.sent.filter((number) => number === 0)).toHaveLength(isRefused ? 1 : 3);
    }
  });
});
