import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { PeerMemory } from '../../../node/membership/peer-memory.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';

const SILENT = { emit: () => {} };

async function openAt(): Promise<{ vfs: CrashableMemVfs; memory: PeerMemory }> {
  const vfs = new CrashableMemVfs();
  await vfs.makeDirectory('/data');
  return { vfs, memory: await PeerMemory.open(vfs, '/data', SILENT) };
}

describe('what is remembered of a peer', () => {
  it('is the highest start counter and the highest round, whichever came first', async () => {
    const { memory } = await openAt();
    expect(memory.get('a')).toBeUndefined();
    memory.note('a', { startCounter: 3, syncedRound: 100 });
    memory.note('a', { startCounter: 2, syncedRound: 90 });
    expect(memory.get('a')).toEqual({ startCounter: 3, syncedRound: 100 });
    memory.note('a', { startCounter: 4, syncedRound: 0 });
    expect(memory.get('a'), 'a new start that holds less').toEqual({
      startCounter: 4,
      syncedRound: 100,
    });
    memory.note('a', { startCounter: 4, syncedRound: 101 });
    expect(memory.get('a')).toEqual({ startCounter: 4, syncedRound: 101 });
    expect(memory.get('b')).toBeUndefined();
  });

  it('survives a restart once it is persisted', async () => {
    const { vfs, memory } = await openAt();
    memory.note('a', { startCounter: 1, syncedRound: 5 });
    await memory.persist();
    memory.note('a', { startCounter: 1, syncedRound: 6 });
    const after = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0.5 });
    expect((await PeerMemory.open(after, '/data', SILENT)).get('a')).toEqual({
      startCounter: 1,
      syncedRound: 5,
    });
  });

  it('is two numbers, whatever message told of them', async () => {
    const { vfs, memory } = await openAt();
    const calls = [{ id: 1, forwardRequest: { batch: new Uint8Array(100_000) } }];
    const payload = encode(cluster.RpcEnvelope, {
      fromNode: 'a',
      startCounter: 2,
      syncedRound: 7,
      calls: calls as cluster.Rpc.$Properties[],
    });
    memory.note('a', decode(cluster.RpcEnvelope, payload));
    await memory.persist();
    expect((await vfs.readFile('/data/peers')).length).toBeLessThan(200);
    expect((await PeerMemory.open(vfs, '/data', SILENT)).get('a')).toEqual({
      startCounter: 2,
      syncedRound: 7,
    });
  });

  it('is written when there is something new only, and again after a failure', async () => {
    const { vfs, memory } = await openAt();
    let syncs = 0;
    let fails = false;
    vfs.onOperation = ({ kind }) => {
      if (kind !== 'sync') return;
      syncs += 1;
      if (fails) throw new Error('EIO');
    };
    await memory.persist();
    expect(syncs).toBe(0);
    memory.note('a', { startCounter: 1, syncedRound: 5 });
    fails = true;
    await expect(memory.persist()).rejects.toThrow('EIO');
    fails = false;
    await memory.persist();
    const written = syncs;
    memory.note('a', { startCounter: 1, syncedRound: 5 });
    await memory.persist();
    expect(syncs).toBe(written);
    expect((await PeerMemory.open(vfs, '/data', SILENT)).get('a')?.syncedRound).toBe(5);
  });
});
