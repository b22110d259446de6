import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Outgoing, outgoing } from '../../../node/messages/message-codec.ts';
import { SendQueue } from '../../../node/messages/send-queue.ts';

const MIB = 1024 * 1024;

function delivery(number: number, qos: 0 | 1 | 2, bytes = 100): Outgoing {
  return outgoing({
    ...{ id: String(number), topic: 't', payload: new Uint8Array(bytes), qos, retain: false },
    ...{ properties: new Uint8Array(0), expiresAtMs: undefined, from: '' },
  });
}

const idOf = ({ message }: Outgoing) => Number(message.id);

function drained(queue: SendQueue): number[] {
  const ids: number[] = [];
  for (;;) {
    const next = queue.take(Number.POSITIVE_INFINITY);
    if (next === undefined) return ids;
    ids.push(idOf(next));
  }
}

describe('what waits for a node', () => {
  it('leaves in the order in which it came', () => {
    const property = fc.property(fc.array(fc.constantFrom(0, 1, 2)), (levels) => {
      const queue = new SendQueue();
      for (const [i, qos] of levels.entries()) queue.push(delivery(i, qos as 0 | 1 | 2));
      expect(drained(queue)).toEqual(levels.map((_, i) => i));
      expect(queue.bytes).toBe(0);
    });
    fc.assert(property);
  });

  it('stays until there is room for it', () => {
    const queue = new SendQueue();
    queue.push(delivery(1, 1, 1_000));
    expect(queue.take(1_000)).toBeUndefined();
    expect(queue.take(1_200)).toBeDefined();
  });

  it('is bounded: QoS 0 goes first, then the oldest, and a large one may be alone', () => {
    const queue = new SendQueue();
    queue.push(delivery(1, 1, 3 * MIB));
    queue.push(delivery(2, 0, 3 * MIB));
    expect(queue.push(delivery(3, 2, 3 * MIB))).toEqual([]);
    expect(queue.dropped).toBe(1);
    expect(queue.push(delivery(4, 0, 3 * MIB))).toEqual([]);
    expect(queue.dropped).toBe(2);
    expect(queue.push(delivery(5, 1, 3 * MIB)).map(idOf)).toEqual([1]);
    expect(queue.push(delivery(6, 1, 20 * MIB)).map(idOf)).toEqual([3, 5]);
    expect(drained(queue)).toEqual([6]);
  });

  it('is dropped at QoS 0 when the node is gone, and the rest is given back', () => {
    const queue = new SendQueue();
    for (const [i, qos] of ([0, 1, 2, 0, 1] as const).entries()) queue.push(delivery(i, qos));
    expect(queue.clear().map(idOf)).toEqual([1, 2, 4]);
    expect([queue.dropped, queue.length, queue.bytes]).toEqual([2, 0, 0]);
  });
});
