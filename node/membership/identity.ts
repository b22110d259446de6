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
  /** Why nothing in this directory may be trusted any more; it stays so over restarts until all is replaced. */
  readonly distrust?: string;
  /** The cluster has removed this node, for ever: the directory is spent. */
  readonly isRemoved?: true;
}

const FILE = 'identity';

/** Reads or draws the identity and counts this start, durably, before anything is sent in its name. */
export async function startIdentity(
  vfs: Vfs,
  directory: string,
  name: string,
  random: Random,
): Promise<Identity> {
  await vfs.makeDirectory(directory);
  const stored = await readStateFile(vfs, directory, FILE);
  const previous =
    stored === undefined
      ? { node: randomId(random), startCounter: 0, initialized: false }
      : (JSON.parse(new TextDecoder().decode(stored)) as Identity);
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
