import { describe, expect, it } from 'vitest';
import { CommitQueue } from '../../../lsm/store/commit-queue.ts';
import type { WriteBatch } from '../../../lsm/store/write-batch.ts';
import { utf8 } from '../../support/text.ts';

interface Committed {
  readonly count: number;
  readonly sync: boolean;
}

/** A queue whose commits are done when the test says so. */
function queueWithGate(groupBytesMax = 1000) {
  const committed: Committed[] = [];
  const gates: { open: () => void; fail: (error: Error) => void }[] = [];
  const commit = (operations: WriteBatch, sync: boolean) => {
    committed.push({ count: operations.operationCount, sync });
    return new Promise<void>((open, fail) => gates.push({ open, fail }));
  };
  const queue = new CommitQueue({ commit, groupBytesMax, giveWay: () => undefined });
  const put = (key: string, sync = false): Promise<void> => {
    const group = queue.group(sync);
    if (group === undefined) return Promise.reject(new Error('closed'));
    group.operations.put(utf8(key), utf8(key));
    return group.promise;
  };
  return { queue, put, committed, gates };
}

const microtasks = async () => {
  for (let i = 0; i < 50; i++) await undefined;
};

describe('the commit queue', () => {
  it('commits operations of one turn together, and those that come meanwhile after them', async () => {
    const { put, committed, gates } = queueWithGate();
    const first = put('a');
    expect(put('b')).toBe(first);
    await microtasks();
    const second = put('c', true);
    void put('d');
    await microtasks();
    expect(committed).toEqual([{ count: 2, sync: false }]);
    gates[0]?.open();
    await first;
    await microtasks();
    expect(committed).toEqual([
      { count: 2, sync: false },
      { count: 2, sync: true },
    ]);
    gates[1]?.open();
    await second;
  });

  it('waits for those who were waiting, some promises further on', async () => {
    const { put, committed, gates } = queueWithGate();
    const writer = async (name: string, depth: number) => {
      await put(name);
      for (let i = 0; i < depth; i++) await undefined;
      await put(name);
    };
    const writers = [writer('a', 0), writer('b', 2), writer('c', 4)];
    await microtasks();
    gates[0]?.open();
    await microtasks();
    expect(committed.map(({ count }) => count)).toEqual([3, 3]);
    gates[1]?.open();
    await Promise.all(writers);
  });

  it('begins another group when one is large, and never splits what is added in one breath', async () => {
    const { queue, put, committed, gates } = queueWithGate(20);
    const all = [put('x'.repeat(15)), put('y')];
    const group = queue.group();
    for (let i = 0; i < 30; i++) group?.operations.put(utf8(`${i}`), utf8(`${i}`));
    all.push(put('z'));
    for (let i = 0; i < 3; i++) {
      await microtasks();
      gates[i]?.open();
    }
    await Promise.all(all);
    expect(committed.map(({ count }) => count)).toEqual([1, 31, 1]);
  });

  it('runs exclusive work between what came before and what comes after', async () => {
    const order: string[] = [];
    const { queue, put, gates } = queueWithGate();
    const before = put('a').then(() => order.push('before'));
    const work = queue.exclusive(async () => {
      order.push('work begins');
      await microtasks();
      order.push('work ends');
      return 7;
    });
    const after = put('b').then(() => order.push('after'));
    await microtasks();
    expect(order).toEqual([]);
    gates[0]?.open();
    expect(await work).toBe(7);
    await microtasks();
    gates[1]?.open();
    await Promise.all([before, after]);
    expect(order).toEqual(['before', 'work begins', 'work ends', 'after']);
  });

  it('rejects the group that failed and commits the next', async () => {
    const { put, gates } = queueWithGate();
    const first = put('a');
    await microtasks();
    const second = put('b');
    gates[0]?.fail(new Error('no room'));
    await expect(first).rejects.toThrow('no room');
    await microtasks();
    gates[1]?.open();
    await second;
  });

  it('finishes what it took when it is closed, and takes nothing more', async () => {
    const { queue, put, gates } = queueWithGate();
    const taken = put('a');
    const closed = queue.close();
    expect(queue.group()).toBeUndefined();
    await expect(queue.exclusive(async () => {})).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
    await microtasks();
    gates[0]?.open();
    await Promise.all([taken, closed]);
  });
});
