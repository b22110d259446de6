import type { Vfs } from '../../lsm/vfs/vfs.ts';
import { cluster, decode, encode } from '../../protos/index.ts';
import { placeReplicas, type ShardPlacement } from '../ring/placement.ts';
import { metaGroup, shardLayout } from '../ring/slots.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/**
 * The record that creates a cluster: its id, its nodes, and for group 0 and every shard the first
 * configuration with its replica ids. Made once, by one node; a node accepts exactly one (DESIGN §5 ▣).
 */
export interface Genesis {
  readonly clusterId: string;
  readonly createdAtMs: number;
  readonly replicationFactor: number;
  readonly nodes: readonly GenesisNode[];
  readonly groups: readonly GenesisGroup[];
}

export interface GenesisNode {
  readonly node: string;
  readonly name: string;
  readonly mqttAddress: string;
  /** Default: 1. */
  readonly weight?: number;
  /** Default: it is in none. */
  readonly zone?: string;
}

export interface GenesisGroup {
  readonly group: number;
  readonly firstSlot: number;
  /** 0 for the meta group. */
  readonly slotCount: number;
  readonly voters: readonly GenesisReplica[];
  /** Warm copies that count for nothing, so that voters stay odd in number (DESIGN §4 ▣). */
  readonly learners: readonly GenesisReplica[];
}

export interface GenesisReplica {
  readonly replicaId: number;
  readonly node: string;
}

const FILE = 'genesis';
const META_VOTERS_MAX = 5;

export function createGenesis(options: {
  readonly clusterId: string;
  readonly nowMs: number;
  readonly replicationFactor: number;
  readonly shardCount: number;
  readonly nodes: readonly GenesisNode[];
}): Genesis {
  const { clusterId, replicationFactor } = options;
  const nodes = options.nodes.map((node) => ({ weight: 1, zone: '', ...node }));
  const shards = shardLayout(options.shardCount);
  const ringNodes = nodes.map(({ node, weight, zone }) => ({
    ...{ id: node, weight, zone },
    state: 'active' as const,
  }));
  const placement = placeReplicas({ nodes: ringNodes, shards, replicationFactor });
  const ids = nodes.map(({ node }) => node);
  const metaVoters = ids.slice(0, oddAtMost(nodes.length, META_VOTERS_MAX));
  // The second of two nodes has a warm copy, as of a shard.
  const metaLearners = nodes.length === 2 ? ids.slice(1) : [];
  const groups = [
    { group: metaGroup, firstSlot: 0, slotCount: 0, ...replicas(metaVoters, metaLearners) },
    ...shards.map((shard, i) => {
      const { voters, learners } = placement[i] as ShardPlacement;
      return { ...shard, ...replicas(voters, learners) };
    }),
  ];
  return { clusterId, createdAtMs: options.nowMs, replicationFactor, nodes, groups };
}

/** Replica ids begin at 1 in every group and are never used again. */
function replicas(
  voters: readonly string[],
  learners: readonly string[],
): Pick<GenesisGroup, 'voters' | 'learners'> {
  const all = [...voters, ...learners].map((node, i) => ({ replicaId: i + 1, node }));
  return { voters: all.slice(0, voters.length), learners: all.slice(voters.length) };
}

/** Everybody who holds a copy of the group. */
export function replicasOf(group: Pick<GenesisGroup, 'voters' | 'learners'>): GenesisReplica[] {
  return [...group.voters, ...group.learners];
}

function oddAtMost(count: number, max: number): number {
  const most = Math.min(count, max);
  return most % 2 === 1 ? most : Math.max(1, most - 1);
}

export function encodeGenesis(genesis: Genesis): cluster.Genesis.$Properties {
  return {
    format: 1,
    clusterId: genesis.clusterId,
    createdAtMs: genesis.createdAtMs,
    replicationFactor: genesis.replicationFactor,
    nodes: genesis.nodes.map((node) => ({ ...node, weight: node.weight ?? 1 })),
    groups: genesis.groups.map(groupProperties),
  };
}

export function groupProperties(group: GenesisGroup): cluster.GenesisGroup.$Properties {
  return { ...group, voters: [...group.voters], learners: [...group.learners] };
}

export function groupOf(wire: cluster.GenesisGroup): GenesisGroup {
  const { group, firstSlot, slotCount, voters, learners } = wire;
  const replica = ({ replicaId, node }: GenesisReplica) => ({ replicaId, node });
  return {
    group,
    firstSlot,
    slotCount,
    voters: voters.map(replica),
    learners: learners.map(replica),
  };
}

export function decodeGenesis(wire: cluster.Genesis): Genesis {
  return {
    clusterId: wire.clusterId,
    createdAtMs: wire.createdAtMs,
    replicationFactor: wire.replicationFactor,
    nodes: wire.nodes.map(({ node, name, mqttAddress, weight, zone }) => ({
      ...{ node, name, mqttAddress, weight, zone },
    })),
    groups: wire.groups.map(groupOf),
  };
}

export async function readGenesis(vfs: Vfs, directory: string): Promise<Genesis | undefined> {
  const bytes = await readStateFile(vfs, directory, FILE);
  return bytes === undefined ? undefined : decodeGenesis(decode(cluster.Genesis, bytes));
}

/** Durable when it resolves. */
export async function writeGenesis(vfs: Vfs, directory: string, genesis: Genesis): Promise<void> {
  await writeStateFile(vfs, directory, FILE, encode(cluster.Genesis, encodeGenesis(genesis)));
}
