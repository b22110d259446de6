import type { Vfs } from '../../lsm/vfs/vfs.ts';
import type { Clock, Events } from '../env.ts';
import { editNodeTable, type FirstNodes, isRemoved, setNodeState } from '../settings/nodes.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import { readDispensable, removeStateFile, writeStateFile } from './state-file.ts';

/**
 * The word of a person that nodes are lost for good, and that the cluster is to go on without what only they had
 * (`dss recover`). It is carried out at the next start, and forgotten when the cluster says that they are dead.
 */
export interface RecoveryOrder {
  /** The id of the node that it is for: one that has begun anew in the same directory has nothing to go on with. */
  readonly node: string;
  /** Ids of nodes. Empty: only what is wrong here is to be put up with. */
  readonly lost: readonly string[];
  /** Groups that others hold, too, without being able to decide, go on with what is here. */
  readonly takesShared: boolean;
}

const FILE = 'recovery';

/** Of this node, if there is one. */
export async function readOrder(
  vfs: Vfs,
  directory: string,
  { node, events }: { readonly node: string; readonly events: Events },
): Promise<RecoveryOrder | undefined> {
  const loss = 'give it again, with "dss recover"';
  const bytes = await readDispensable(vfs, directory, FILE, { events, loss });
  if (bytes === undefined) return undefined;
  const order = JSON.parse(new TextDecoder().decode(bytes)) as RecoveryOrder;
  return order.node === node ? order : undefined;
}

/** Durable when it resolves. */
export async function writeOrder(vfs: Vfs, directory: string, order: RecoveryOrder): Promise<void> {
  await writeStateFile(vfs, directory, FILE, new TextEncoder().encode(JSON.stringify(order)));
}

export async function removeOrder(vfs: Vfs, directory: string): Promise<void> {
  await removeStateFile(vfs, directory, FILE);
}

/** Has the cluster count the lost nodes out. Returns whether it does now; if not, it is to be tried again. */
export async function declareLost(
  { lost }: RecoveryOrder,
  cluster: {
    readonly genesis: FirstNodes;
    readonly settings: Pick<SettingsService, 'change'>;
    readonly clock: Pick<Clock, 'nowMs'>;
  },
): Promise<boolean> {
  const { genesis, settings, clock } = cluster;
  const edit = editNodeTable(genesis, (known) => {
    const living = known.nodes.filter((row) => lost.includes(row.node) && !isRemoved(row));
    const declared = living.reduce(
      (before, { node }) => setNodeState(before, node, 'dead', clock.nowMs()).settings ?? before,
      known,
    );
    return { settings: declared };
  });
  return (await settings.change(edit)).kind === 'settled';
}
