import type { ClusterDoor } from '../../broker/data-plane.ts';
import { cluster, decode, ProtocolError } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { PeerMemory } from '../membership/peer-memory.ts';
import type { GroupMessage } from '../shard/outgoing-messages.ts';
import { decodeEnvelope, encodeEnvelope } from './raft-codec.ts';
import { type RpcHandler, RpcHub, type RpcOrigin } from './rpc.ts';
import { verifyCredentials } from './secret.ts';
import type { Channel, Transport } from './transport.ts';

/** What a member of a cluster makes of the messages of the others. */
export interface ClusterHandlers {
  readonly raft: (peer: string, messages: readonly GroupMessage[]) => void;
  readonly heartbeat: (peer: string, heartbeat: cluster.Heartbeat) => void;
  readonly rpc: RpcHandler;
  /** A `peers.Envelope`. */
  readonly messages: (peer: string, payload: Uint8Array) => void;
  readonly disconnected: (peer: string) => void;
  /** Something can be sent to this node again, or for the first time. */
  readonly connected: (peer: string) => void;
  /** A message of this node has come on the connection of consensus. */
  readonly heard: (peer: string) => void;
}

/** Stands in the topic for the cluster id while there is none: nodes say hello, and pass on a genesis. */
const NO_CLUSTER = '-';

const ADDRESSES_MAX = 3;

/**
 * All traffic with other nodes: protobuf messages on the cluster topics (DESIGN §6). Messages of another
 * cluster are dropped; every envelope tells how far its sender has come, which this node remembers.
 */
export class ClusterLink {
  readonly door: ClusterDoor;
  /** For members of the cluster. */
  readonly rpc: RpcHub;
  /** For everybody with the secret, also before there is a cluster. */
  readonly helloRpc: RpcHub;
  /** The last round that the log has synced, once there is a log. */
  syncedRound: () => number = () => 0;
  readonly #env: Env;
  readonly #own: RpcOrigin;
  readonly #transport: Transport;
  readonly #memory: PeerMemory;
  readonly #onHello: RpcHandler;
  /** Where each node may be, what was learned last first: the first to which there is a connection is used. */
  readonly #addresses = new Map<string, readonly string[]>();
  /** Where each, or whoever is at an address, was when something was sent to it. */
  readonly #used = new Map<string, string>();
  readonly #connected = new Set<string>();
  #clusterId: string | undefined;
  #handlers: ClusterHandlers | undefined;
  #closed = false;

  constructor(options: {
    readonly env: Env;
    readonly own: RpcOrigin;
    readonly secret: string;
    readonly transport: Transport;
    readonly memory: PeerMemory;
    readonly onHello: RpcHandler;
    /** A node at this address does not believe that we know the cluster secret. */
    readonly onRefused: (address: string) => void;
  }) {
    this.#env = options.env;
    this.#own = options.own;
    this.#transport = options.transport;
    this.#transport.onClosed = (address) => {
      for (const [node, used] of this.#used) {
        if (used === address) this.rpc.nodeUnreachable(node);
      }
    };
    this.#transport.onOpened = (address) => {
      for (const [node, addresses] of this.#addresses) {
        if (addresses.includes(address)) this.#handlers?.connected(node);
      }
    };
    this.#transport.onRefused = options.onRefused;
    this.#memory = options.memory;
    this.#onHello = options.onHello;
    this.rpc = this.#hub(() => this.#clusterId ?? NO_CLUSTER);
    this.helloRpc = this.#hub(() => NO_CLUSTER);
    this.door = {
      authenticate: (username, password) => verifyCredentials(options.secret, username, password),
      receive: (peer, topic, payload) => this.#receive(peer, topic, payload),
      disconnected: (peer) => this.#disconnected(peer),
    };
  }

  /** From here on this node takes part in the cluster. */
  attach(clusterId: string, handlers: ClusterHandlers): void {
    this.#clusterId = clusterId;
    this.#handlers = handlers;
  }

  connect(address: string): void {
    this.#connected.add(address);
    this.#transport.connect(address);
  }

  /**
   * This node is, or can also be, reached at this address. How others reach it may not be how we do (`--advertise`),
   * so what was learned before remains a second choice.
   */
  learnAddress(node: string, address: string): void {
    if (node === this.#own.node || address === '') return;
    const others = (this.#addresses.get(node) ?? []).filter((known) => known !== address);
    this.#addresses.set(node, [address, ...others].slice(0, ADDRESSES_MAX));
    this.connect(address);
  }

  knows(node: string): boolean {
    return this.#addresses.has(node);
  }

  /** Ends connections to all but these nodes, and to where one was before it moved. */
  keepOnly(nodes: readonly string[]): void {
    const kept = new Set(nodes);
    for (const node of this.#used.keys()) if (!kept.has(node)) this.#used.delete(node);
    for (const [node, addresses] of this.#addresses) {
      if (!kept.has(node)) this.#addresses.delete(node);
      else if (this.#used.get(node) === addresses[0]) {
        this.#addresses.set(node, addresses.slice(0, 1));
      }
    }
    const needed = new Set([...this.#addresses.values()].flat());
    for (const address of this.#connected) {
      if (needed.has(address)) continue;
      this.#connected.delete(address);
      this.#transport.disconnect(address);
    }
  }

  sendRaft(node: string, messages: readonly GroupMessage[]): void {
    const payload = encodeEnvelope({
      fromNode: this.#own.node,
      startCounter: this.#own.startCounter,
      syncedRound: this.syncedRound(),
      messages,
    });
    this.#send(node, 'consensus', `${this.#clusterId}/node/${node}/raft`, payload);
  }

  sendHeartbeat(nodes: readonly string[], payload: Uint8Array): void {
    const topic = `${this.#clusterId}/heartbeat/${this.#own.node}`;
    for (const node of nodes) this.#send(node, 'consensus', topic, payload);
  }

  /** `payload` is a `peers.Envelope`. False: it could not be sent. */
  sendMessages(node: string, payload: Uint8Array): boolean {
    return this.#send(node, 'messages', `${this.#clusterId}/node/${node}/messages`, payload);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.rpc.close();
    this.helloRpc.close();
    await this.#transport.close();
  }

  #hub(topicRoot: () => string): RpcHub {
    return new RpcHub(this.#env, {
      identity: () => ({ ...this.#own, syncedRound: this.syncedRound() }),
      send: (node, channel, payload) =>
        this.#send(node, channel, `${topicRoot()}/node/${node}/rpc`, payload),
    });
  }

  /** `node` is a node id, or an address while the id is not known. */
  #send(node: string, channel: Channel, topic: string, payload: Uint8Array): boolean {
    for (const address of this.#addresses.get(node) ?? [node]) {
      if (!this.#transport.send(address, channel, topic, payload)) continue;
      this.#used.set(node, address);
      return true;
    }
    return false;
  }

  #receive(peer: string, topic: string, payload: Uint8Array): void {
    if (this.#closed) return;
    const levels = topic.split('/');
    const outer = this.#env.stages?.enter(levels.at(-1) === 'raft' ? 'replicate' : 'route');
    try {
      this.#dispatch(peer, levels, payload);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#env.events.emit({
        level: 'warn',
        name: 'malformed-cluster-message',
        message: `from node ${peer} on ${topic}: ${error.message}`,
      });
    } finally {
      this.#env.stages?.leave(outer);
    }
  }

  #dispatch(peer: string, levels: readonly string[], payload: Uint8Array): void {
    const [clusterId, kind, to, what] = levels;
    if (clusterId === NO_CLUSTER) {
      this.#memory.note(peer, this.helloRpc.receive(peer, payload, this.#onHello));
      return;
    }
    const handlers = this.#handlers;
    if (clusterId !== this.#clusterId || handlers === undefined) return;
    if (kind === 'heartbeat') {
      const heartbeat = decode(cluster.Heartbeat, payload);
      if (heartbeat.node !== peer) return;
      this.#memory.note(peer, heartbeat);
      this.#followMove(peer, heartbeat.mqttAddress);
      handlers.heard(peer);
      handlers.heartbeat(peer, heartbeat);
      return;
    }
    // For a node that was at this address before: taking it would break the promises of that one's replicas.
    if (to !== this.#own.node) return;
    if (what === 'rpc') {
      this.#memory.note(peer, this.rpc.receive(peer, payload, handlers.rpc));
    } else if (what === 'messages') {
      handlers.messages(peer, payload);
    } else if (what === 'raft') {
      const envelope = decodeEnvelope(payload);
      if (envelope.fromNode !== peer) return;
      this.#memory.note(peer, envelope);
      handlers.heard(peer);
      handlers.raft(peer, envelope.messages);
    }
  }

  /** A node says where it is, also when that has changed (DESIGN §9). */
  #followMove(peer: string, address: string): void {
    if (this.#addresses.get(peer)?.[0] !== address) this.learnAddress(peer, address);
  }

  #disconnected(peer: string): void {
    if (this.#closed) return;
    this.rpc.nodeUnreachable(peer);
    this.#handlers?.disconnected(peer);
  }
}
