import type { Vfs } from '../../lsm/vfs/vfs.ts';
import type { Random } from '../env.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** Who a node is (DESIGN §5 ▣, Identity). Drawn at first start and kept in the data directory. */
export interface Identity {
  /** 64 random bits as 16 hexadecimal digits. */
  readonly node: string;
  readonly name: string;
  /** Grows with every start; with the node id it names one run of the process. */
  readonly startCounter: number;
  /** Whether the log was given its groups: if they are missing later, they were lost. */
  readonly initialized: boolean;
  /** Grows whenever the node begins anew. Log and tables of each have folders of their own. */
  readonly generation: number;
  /** What the node was before that, until the cluster has let it in and all of that is removed. */
  readonly succeeds?: Predecessor;
  /** Why nothing in this directory may be trusted any more: at the next start the node begins anew. */
  readonly distrust?: string;
  /** The cluster has removed this node, for ever: the directory is spent. */
  readonly isRemoved?: true;
}

export interface Predecessor {
  readonly node: string;
  /** Undefined if its record was lost, too. */
  readonly clusterId?: string | undefined;
  /** Where the other members were when last heard of. */
  readonly addresses: readonly string[];
  /** Why its log and tables could not be trusted. */
  readonly distrust: string;
}

const FILE = 'identity';

/** Undefined if none was drawn yet. */
export async function readIdentity(vfs: Vfs, directory: string): Promise<Identity | undefined> {
  const stored = await readStateFile(vfs, directory, FILE);
  if (stored === undefined) return undefined;
  return JSON.parse(new TextDecoder().decode(stored)) as Identity;
}

/** Reads or draws the identity and counts this start, durably, before anything is sent in its name. */
export async function startIdentity(
  vfs: Vfs,
  directory: string,
  name: string,
  random: Random,
): Promise<Identity> {
  await vfs.makeDirectory(directory);
  const previous = (await readIdentity(vfs, directory)) ?? {
    ...{ node: randomId(random), startCounter: 0, initialized: false, generation: 1 },
  };
  const identity = { ...previous, name, startCounter: previous.startCounter + 1 };
  await writeIdentity(vfs, directory, identity);
  return identity;
}

export async function writeIdentity(
  vfs: Vfs,
  directory: string,
  identity: Identity,
): Promise<void> {
  await writeStateFile(vfs, directory, FILE, new TextEncoder().encode(JSON.stringify(identity)));
}

export function randomId(random: Random): string {
  return Array.from(random.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
