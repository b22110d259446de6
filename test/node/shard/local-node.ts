import { Db } from '../../../lsm/db.ts';
import { Log } from '../../../lsm/log/log.ts';
import type { GroupState } from '../../../lsm/log/types.ts';
import type { VfsOperation } from '../../../lsm/vfs/mem.ts';
import type { ConfigurationAt, Entry } from '../../../node/raft/types.ts';
import {
  encodeMembers,
  encodeStored,
  type GroupMembers,
  NO_MEMBERS,
} from '../../../node/shard/configuration.ts';
import { encodePositions } from '../../../node/shard/group-position.ts';
import { NodeGroups } from '../../../node/shard/node-groups.ts';
import type { GroupMessage } from '../../../node/shard/outgoing-messages.ts';
import { recoverReplicas } from '../../../node/shard/recovery.ts';
import { FakeEnv, settled } from '../fake-env.ts';

export const OWN = 'own';
export const SHARDS = [1, 2, 3].map((group) => ({ group, firstSlot: 8 * group, slotCount: 8 }));

/** The groups of one node over its own log and engine; the other nodes are the test. */
export interface LocalNode {
  readonly fake: FakeEnv;
  readonly log: Log;
  readonly engine: Db;
  readonly groups: NodeGroups;
  readonly sent: { readonly node: string; readonly message: GroupMessage }[];
  readonly fatal: Error[];
  /** Replicas elsewhere that do not take part. */
  readonly notWell: Set<number>;
  /** Runs turns until nothing more happens by itself. */
  settle(): Promise<void>;
}

export async function openNode(
  fake = new FakeEnv(),
  firstReplicas: readonly GroupState[] = [],
  entries: ReadonlyMap<number, readonly Entry[]> = new Map(),
  { roundsMaxWaitMs = 0 } = {},
): Promise<LocalNode> {
  const { env } = fake;
  const openLog = () =>
    Log.open({ vfs: env.vfs, directory: '/log', newLogId: () => new Uint8Array(8) });
  const first = await openLog();
  for (const state of firstReplicas) {
    first.log.addGroup(state);
    first.log.stage(state.group, undefined, entries.get(state.group) ?? []);
  }
  if (first.log.hasStaged) await first.log.commitRound();
  await first.log.close();
  const { log, groups: loggedGroups } = await openLog();
  let groups: NodeGroups | undefined;
  const engine: Db = await Db.open({
    vfs: env.vfs,
    directory: '/db',
    offload: env.offload,
    notePositions: () => encodePositions(groups?.host.replicas() ?? [], engine?.flushedPositions()),
    onEvent: () => {},
  });
  const sent: LocalNode['sent'][number][] = [];
  const fatal: Error[] = [];
  const notWell = new Set<number>();
  groups = new NodeGroups({
    ...{ env, log, engine },
    recovered: recoverReplicas({ env, log, loggedGroups, engine }),
    layout: (group) => SHARDS.find((each) => each.group === group),
    sendRaft: (node, messages) => sent.push(...messages.map((message) => ({ node, message }))),
    callBulk: async () => undefined,
    roundsMaxWaitMs,
    snapshotBytesPerSecond: () => 1,
    isWell: (_group, { replicaId }) => !notWell.has(replicaId),
    onRaftEvent: () => {},
    onProgress: () => {},
    onChecksum: () => {},
    onHalted: () => {},
    observer: { suspected: () => {}, admitted: () => {}, replaced: () => {} },
    onFatal: (error) => fatal.push(error),
  });
  groups.start();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) {
      fake.turn();
      await settled();
    }
  };
  return { fake, log, engine, groups, sent, fatal, notWell, settle };
}

/** How the log of a replica begins whose group has these members. */
export function firstState(
  group: number,
  replicaId: number,
  members: Partial<GroupMembers>,
  changes: Partial<GroupState> = {},
): GroupState {
  const data = encodeMembers({ ...NO_MEMBERS, nextReplicaId: replicaId + 1, ...members });
  return {
    group,
    replicaId,
    hardState: { term: 1, vote: 0, commit: 1 },
    configuration: storedOf(group, [{ index: 1, term: 1, data }]),
    logStart: { index: 1, term: 1 },
    ...changes,
  };
}

export function storedOf(group: number, configurations: readonly ConfigurationAt[]): Uint8Array {
  const { firstSlot, slotCount } = SHARDS.find(
    (each) => each.group === group,
  ) as (typeof SHARDS)[0];
  return encodeStored({ firstSlot, slotCount, configurations, removed: false });
}

/** Holds back what a disk is asked for. */
export function holdBack({ vfs }: FakeEnv, which: (operation: VfsOperation) => boolean) {
  let release = () => {};
  let reach = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  vfs.onOperation = (operation) => {
    if (!which(operation)) return undefined;
    reach();
    return gate;
  };
  return { reached: reached.then(settled), release };
}
