import { inspectLog } from '../../lsm/log/inspect.ts';
import type { RecoveredGroup } from '../../lsm/log/types.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { NodeError } from '../errors.ts';
import { logFolder } from '../folders.ts';
import { ClusterRecord } from '../membership/cluster-record.ts';
import { readGenesis } from '../membership/genesis.ts';
import { removedSentence } from '../membership/greeting.ts';
import { type Identity, readIdentity } from '../membership/identity.ts';
import { type RecoveryOrder, writeOrder } from '../membership/recovery-order.ts';
import { isRemoved, type NodeRow } from '../settings/nodes.ts';
import { type Judgement, judge } from '../shard/forced-recovery.ts';
import { lockData } from './data-lock.ts';

/** What would become of the groups of a node that stands still, if it went on without others. */
export interface RecoveryPlan {
  /** Of the node. */
  readonly name: string;
  /** Names of those that are lost, and of all others that have a place in the cluster. */
  readonly lost: readonly string[];
  readonly others: readonly string[];
  /** `others` are names; `position`: `term/index` of the last entry here. */
  readonly groups: readonly (Judgement & { readonly position: string })[];
  /** Has it carried out at the next start; durable when it resolves. */
  order(): Promise<void>;
  /** Lets the node start. */
  close(): Promise<void>;
}

/**
 * Looks into a data directory, and changes nothing. @throws {NodeError} DIRECTORY_IN_USE while the node runs; why there is
 * nothing to go on with
 */
export async function planRecovery(options: {
  readonly data: string;
  /** Names of nodes. */
  readonly lost: readonly string[];
  readonly takesShared: boolean;
}): Promise<RecoveryPlan> {
  const { data, takesShared } = options;
  const vfs = new OsVfs();
  if ((await readIdentity(vfs, data)) === undefined) throw invalid(`there is no node in ${data}.`);
  const unlock = await lockData(data);
  try {
    const identity = (await readIdentity(vfs, data)) as Identity;
    const record = await recordOf(vfs, data, identity);
    const rows = record.rows.filter(({ node }) => node !== identity.node);
    const unknown = options.lost.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) {
      const known = rows.map(({ name }) => name).join(', ') || 'none';
      throw invalid(
        `the cluster has no other node ${unknown}: those of ${identity.name} are ${known}.`,
      );
    }
    // Who is dead to the cluster never comes back either.
    const isLost = (row: NodeRow) => isRemoved(row) || options.lost.includes(row.name);
    const { groups, replicasLost } = await inspectLog(
      vfs,
      `${data}/${logFolder(identity.generation)}`,
    );
    if (replicasLost) throw invalid(`the log in ${data} does not tell which replicas it had.`);
    const lost = rows.filter(isLost).map(({ node }) => node);
    const order: RecoveryOrder = { node: identity.node, lost, takesShared };
    const nameOf = (node: string) => record.rowOf(node)?.name ?? node;
    return {
      name: identity.name,
      lost: options.lost,
      others: rows.filter((row) => !isLost(row)).map(({ name }) => name),
      groups: groups.map((found) => {
        const judgement = judge(found, identity.node, order);
        return { ...judgement, others: judgement.others.map(nameOf), position: endOf(found) };
      }),
      order: () => writeOrder(vfs, data, order),
      close: unlock,
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function recordOf(vfs: OsVfs, data: string, identity: Identity): Promise<ClusterRecord> {
  const record = await ClusterRecord.open(vfs, data, { emit: () => {} });
  const genesis = await readGenesis(vfs, data);
  if (genesis === undefined) throw invalid(`the node in ${data} has never been in a cluster.`);
  record.useGenesis(genesis);
  const { name, isRemoved, distrust, succeeds } = identity;
  if (isRemoved) throw new NodeError('NODE_REMOVED', removedSentence(genesis.clusterId, name));
  const reason = distrust ?? succeeds?.distrust;
  if (reason === undefined) return record;
  throw invalid(`${name} has to begin anew, and has nothing to go on with: ${reason}.`);
}

function endOf({ lastIndex, logStart, terms }: RecoveredGroup): string {
  return `${terms.at(-1)?.term ?? logStart.term}/${lastIndex}`;
}

function invalid(sentence: string): NodeError {
  return new NodeError('CONFIG_INVALID', sentence);
}
