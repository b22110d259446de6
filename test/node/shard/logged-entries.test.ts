import { describe, expect, it } from 'vitest';
import { EntryKind } from '../../../node/raft/types.ts';
import { LogRelease } from '../../../node/shard/log-release.ts';
import { FakeEnv } from '../fake-env.ts';
import { firstState, type LocalNode, openNode } from './local-node.ts';

const ENTRIES = [2, 3].map((index) => ({
  ...{ index, term: 1, kind: EntryKind.empty },
  data: Uint8Array.of(index, 0xe7, 0x7e),
}));

describe('An entry of which a bit has changed in the log', () => {
  it('is not applied: the node ends, and finds what is damaged when it starts again', async () => {
    const { fake, node } = await withEntries(3);
    await flip(fake);
    await node.settle();
    expect(node.fatal).toMatchObject([{ code: 'CORRUPTION' }]);
    expect(node.groups.host.replica(1)).toBeUndefined();
    expect([...node.groups.host.replicas()].map((each) => each.state.appliedIndex)).toEqual([1]);
    await expectSuspect(node);
  });

  it('is not written again: the node ends, and finds what is damaged when it starts again', async () => {
    const { fake, node: first } = await withEntries(1);
    await first.settle();
    // What it holds is declared synced, and stays in a segment that is not the last.
    first.log.stage(1, { term: 1, vote: 1, commit: 1 }, []);
    await first.log.commitRound();
    await first.log.close();
    const node = await openNode(fake);
    await node.settle();
    const { log, engine } = node;
    const release = new LogRelease({
      ...{ log, engine, host: node.groups.host, suspects: () => [] },
      ...{ logBytesMax: 0, catchUpBytesMax: 0 },
    });
    await engine.flush();
    await flip(fake);
    const running = expect(release.run()).rejects.toMatchObject({ code: 'CORRUPTION' });
    await node.settle();
    await running;
    await expectSuspect(node);
  });
});

async function expectSuspect({ fake, log }: LocalNode): Promise<void> {
  await log.close();
  const again = await openNode(fake);
  expect(again.groups.suspects()).toMatchObject([{ group: 1 }]);
}

/** A replica that has two entries in its log, and has applied neither. */
async function withEntries(commit: number) {
  const fake = new FakeEnv();
  const members = {
    voters: [
      { replicaId: 1, node: 'own' },
      { replicaId: 2, node: 'second' },
    ],
    nextReplicaId: 3,
  };
  const hardState = { term: 1, vote: 0, commit };
  const state = firstState(1, 1, members, { hardState });
  const node = await openNode(fake, [state], new Map([[1, ENTRIES]]));
  return { fake, node };
}

/** Changes the last entry wherever the log has it. */
async function flip({ vfs }: FakeEnv): Promise<void> {
  const data = Buffer.from(ENTRIES.at(-1)?.data as Uint8Array);
  for (const name of await vfs.list('/log')) {
    const at = Buffer.from(await vfs.readFile(`/log/${name}`)).indexOf(data);
    if (at >= 0) vfs.damage(`/log/${name}`, at + 1, 0x08);
  }
}
