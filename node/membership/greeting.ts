import type { cluster } from '../../protos/index.ts';
import { NodeError, type NodeErrorCode } from '../errors.ts';
import { isRemoved } from '../settings/nodes.ts';
import { nodeRowFromProto, nodeRowToProto } from '../settings/settings-codec.ts';
import type { RpcHub } from '../transport/rpc.ts';
import type { ClusterRecord } from './cluster-record.ts';
import type { Identity } from './identity.ts';
import type { PeerMemory, Progress } from './peer-memory.ts';

/** What a node says of itself to others, for a node table that does not name it yet. */
export interface Self {
  readonly node: string;
  readonly name: string;
  readonly mqttAddress: string;
  readonly weight: number;
  readonly zone: string;
}

export interface GreetingOptions {
  readonly identity: Identity;
  readonly self: Self;
  readonly rpc: RpcHub;
  readonly memory: PeerMemory;
  readonly record: ClusterRecord;
  /** Was told to join a cluster that does not name it. */
  readonly isJoining: boolean;
  /** Whether this directory has never had a genesis. */
  readonly isEmpty: () => boolean;
  /** From now on this node id is reached at this address. */
  readonly learnAddress: (node: string, mqttAddress: string) => void;
}

/** Who answered at an address. */
export interface Greeted extends Self {
  /** Empty: it belongs to none yet. */
  readonly clusterId: string;
  readonly isEmpty: boolean;
  /** Of the asking node. */
  readonly remembered: Progress;
}

interface Refusal {
  readonly refusalCode: NodeErrorCode;
  readonly refusal: string;
}

const CALL_DEADLINE_MS = 1_000;

/**
 * Nodes say hello when they start: who they are, what they belong to, and how new their node table is. The answer
 * says the same, what is remembered of the asking node, and brings a newer table; or it is a refusal.
 */
export class Greeting {
  readonly #options: GreetingOptions;

  constructor(options: GreetingOptions) {
    this.#options = options;
  }

  /** Who is there; undefined if nobody answers in time. @throws {NodeError} the refusal, which ends the start */
  async ask(address: string): Promise<Greeted | undefined> {
    const { rpc, identity, learnAddress } = this.#options;
    const hello = this.#hello();
    const answer = await rpc.call(address, 'consensus', { hello }, CALL_DEADLINE_MS);
    const reply = answer?.helloReply;
    if (reply == null || !reply.node || reply.node === identity.node) return undefined;
    if (reply.refusalCode) {
      throw new NodeError(reply.refusalCode as NodeErrorCode, reply.refusal ?? 'refused by a peer');
    }
    learnAddress(reply.node, address);
    const { clusterId = '', name = '', weight = 1, zone = '' } = reply;
    if (clusterId !== '') this.#learnNodes(clusterId, reply);
    return {
      ...{ node: reply.node, name, mqttAddress: address, weight, zone, clusterId },
      isEmpty: reply.empty ?? false,
      remembered: {
        startCounter: reply.rememberedStartCounter ?? 0,
        syncedRound: reply.rememberedSyncedRound ?? 0,
      },
    };
  }

  answer(hello: cluster.Hello.$Properties): cluster.HelloReply.$Properties {
    const { identity, memory, record, self, isEmpty } = this.#options;
    const remembered = memory.get(hello.node ?? '');
    const isOld = (hello.nodesRevision ?? 0) < record.revision;
    return {
      ...{ node: identity.node, name: identity.name, weight: self.weight, zone: self.zone },
      clusterId: record.clusterId ?? '',
      empty: record.genesis === undefined && isEmpty(),
      rememberedStartCounter: remembered?.startCounter ?? 0,
      rememberedSyncedRound: remembered?.syncedRound ?? 0,
      nodesRevision: record.revision,
      nodes: isOld ? record.rows.map(nodeRowToProto) : [],
      ...this.#refusal(hello),
    };
  }

  #hello(): cluster.Hello.$Properties {
    const { self, identity, record, isJoining } = this.#options;
    return {
      ...self,
      name: identity.name,
      clusterId: record.clusterId ?? '',
      startCounter: identity.startCounter,
      joining: isJoining && record.genesis === undefined,
      nodesRevision: record.revision,
    };
  }

  #learnNodes(clusterId: string, reply: cluster.HelloReply.$Properties): void {
    const { record } = this.#options;
    if (clusterId !== record.clusterId) return;
    record.learn(reply.nodesRevision ?? 0, (reply.nodes ?? []).map(nodeRowFromProto));
  }

  #refusal(hello: cluster.Hello.$Properties): Refusal | undefined {
    const { identity, record } = this.#options;
    const { node = '', name = '', clusterId = '' } = hello;
    const own = record.clusterId;
    if (own === undefined) return undefined;
    if (clusterId !== '' && clusterId !== own) {
      return {
        refusalCode: 'WRONG_CLUSTER',
        refusal: `the data directory of ${name} belongs to cluster ${clusterId}, but ${identity.name} belongs to cluster ${own}.`,
      };
    }
    const row = record.rowOf(node);
    if (row !== undefined) return isRemoved(row) ? removal(own, name) : undefined;
    if (clusterId === own) return this.#knowsLater(hello) ? undefined : removal(own, name);
    // Whether it may join is said to its request.
    return hello.joining === true ? undefined : this.#stranger(own, name);
  }

  /**
   * Of a member that our table does not name: its own may be newer, or lost. Else it went so long ago that it
   * was forgotten.
   */
  #knowsLater({ nodesRevision = 0 }: cluster.Hello.$Properties): boolean {
    return nodesRevision === 0 || nodesRevision > this.#options.record.revision;
  }

  #stranger(clusterId: string, name: string): Refusal {
    const live = this.#options.record.liveRows;
    const sameName = live.find((row) => row.name === name);
    if (sameName !== undefined) {
      return {
        refusalCode: 'NAME_TAKEN',
        refusal: `the name ${name} is taken: cluster ${clusterId} knows it as node ${sameName.node}, and this data directory is empty, which makes it a new node. Start ${name} with its own data directory; if that is lost, take its place with --join and --replace ${name}.`,
      };
    }
    const names = live.map((row) => row.name).join(', ');
    return {
      refusalCode: 'WRONG_CLUSTER',
      refusal: `cluster ${clusterId} has no node named ${name}: its nodes are ${names}. A new one enters with --join.`,
    };
  }
}

function removal(clusterId: string, name: string): Refusal {
  return { refusalCode: 'NODE_REMOVED', refusal: removedSentence(clusterId, name) };
}

/** For the person at a node that is dead or gone to its cluster. */
export function removedSentence(clusterId: string | undefined, name: string): string {
  const cluster = clusterId === undefined ? 'the cluster' : `cluster ${clusterId}`;
  return `${cluster} has removed this node, ${name}: it was silent for too long, was replaced, or has left. What it holds counts no more and may be deleted; to take part again it joins as a new node, with an empty data directory and --join.`;
}
