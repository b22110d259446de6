import type { Env } from '../env.ts';
import { NodeError } from '../errors.ts';
import { removeEarlierGenerations } from '../folders.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { Entrance } from './formation.ts';
import { type Genesis, readGenesis } from './genesis.ts';
import { type Identity, randomId, writeIdentity } from './identity.ts';

/**
 * A node whose directory cannot be trusted is treated as empty (DESIGN §5 ▣, Identity): under a new id it asks to be let
 * in, in place of its old one. Until the cluster has done so, all that the old one had stays where it is.
 *
 * @param distrusted the old identity; the new one is durable when this resolves
 */
export async function beginAnew(
  distrusted: Identity & { readonly distrust: string },
  options: {
    readonly env: Env;
    readonly directory: string;
    readonly name: string;
    readonly record: ClusterRecord;
  },
): Promise<Identity> {
  const { env, directory, name, record } = options;
  const { node, generation, distrust } = distrusted;
  const genesis = await genesisIfWhole(env, directory);
  if (genesis !== undefined) record.useGenesis(genesis);
  const others = record.liveRows.filter((row) => row.node !== node);
  const addresses = others.map(({ mqttAddress }) => mqttAddress);
  const identity: Identity = {
    ...{ node: randomId(env.random), name, startCounter: 1, initialized: false },
    generation: generation + 1,
    succeeds: { node, clusterId: record.clusterId, addresses, distrust },
  };
  await writeIdentity(env.vfs, directory, identity);
  env.events.emit({
    level: 'error',
    name: 'begins-anew',
    message: `nothing in ${directory} can be trusted (${distrust}): ${name} begins anew as node ${identity.node}, and asks for the place of node ${node}, which it was`,
  });
  return identity;
}

/** Whether the cluster has yet to let it in: then what the directory knows of a cluster is of the old one. */
export function isOutside({ node, succeeds }: Identity, record: ClusterRecord): boolean {
  return succeeds !== undefined && record.rowOf(node) === undefined;
}

/** However a node once got into the cluster, if it begins anew it joins: where it was told to, and where members were. */
export function entranceOf(entrance: Entrance, { name, succeeds }: Identity): Entrance {
  if (succeeds === undefined) return entrance;
  const { peers, join } = entrance;
  const others = peers.filter((peer) => peer.name !== name).map(({ mqttAddress }) => mqttAddress);
  const addresses = [...(join?.addresses ?? []), ...succeeds.addresses, ...others];
  const clusterId = join?.clusterId ?? succeeds.clusterId;
  const replaceNode = succeeds.node;
  return { peers, join: { addresses: [...new Set(addresses)], clusterId, replaceNode } };
}

/** Now that it has been let in, what it had before counts nowhere any more. */
export async function endSuccession(
  { succeeds, ...identity }: Identity,
  { env, directory }: { readonly env: Env; readonly directory: string },
): Promise<Identity> {
  if (succeeds === undefined) return identity;
  await removeEarlierGenerations(env.vfs, directory, identity.generation);
  env.events.emit({
    level: 'warn',
    name: 'began-anew',
    message: `${identity.name} is let in as node ${identity.node} in place of node ${succeeds.node}, whose log and tables are removed, as they could not be trusted (${succeeds.distrust}). The other nodes bring it what it is to hold`,
  });
  await writeIdentity(env.vfs, directory, identity);
  return identity;
}

/** For whoever wonders why it does not start: without a majority of the cluster nobody can be let in. */
export function waitingSentence(
  { name, succeeds }: Identity,
  addresses: readonly string[],
  directory: string,
): string {
  const why = `${name} has to begin anew (${succeeds?.distrust}) and waits to be let in`;
  const whole = `a whole copy of ${directory} that is not older`;
  if (addresses.length === 0) {
    return `${why}, but no other node is known that could do so: what it held is nowhere else. Bring back ${whole}, or give the data up and create a new cluster with an empty directory. Nothing is removed meanwhile.`;
  }
  return `${why} by ${addresses.join(' or ')}, which takes a majority of the cluster and a leader of every shard: start the other nodes, and stop any other copy of this one. If too many have lost their data, bring back ${whole}, or give the data up and create a new cluster with empty directories. Nothing is removed meanwhile.`;
}

async function genesisIfWhole({ vfs }: Env, directory: string): Promise<Genesis | undefined> {
  try {
    return await readGenesis(vfs, directory);
  } catch (error) {
    if (error instanceof NodeError && error.code === 'STATE_DAMAGED') return undefined;
    throw error;
  }
}
