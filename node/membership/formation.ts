import type { Vfs } from '../../lsm/vfs/vfs.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { NodeError, type NodeErrorCode } from '../errors.ts';
import type { RpcBody, RpcHub, RpcMessage } from '../transport/rpc.ts';
import {
  createGenesis,
  decodeGenesis,
  encodeGenesis,
  type Genesis,
  readGenesis,
  writeGenesis,
} from './genesis.ts';
import { type Identity, randomId } from './identity.ts';
import { furthestOf, type PeerMemory, type Progress } from './peer-memory.ts';

/** A node as the command line names it. */
export interface PeerAddress {
  readonly name: string;
  readonly mqttAddress: string;
}

export interface FormationOptions {
  readonly env: Env;
  readonly vfs: Vfs;
  readonly directory: string;
  readonly identity: Identity;
  readonly mqttAddress: string;
  /** All nodes of the first membership, this one included; the first of them creates the cluster. */
  readonly peers: readonly PeerAddress[];
  readonly replicationFactor: number;
  readonly shardCount: number;
  readonly rpc: RpcHub;
  readonly memory: PeerMemory;
  /** From now on this node id is reached at this address. */
  readonly learnAddress: (node: string, mqttAddress: string) => void;
}

const RETRY_MS = 300;
const CALL_DEADLINE_MS = 1_000;
const COMPLAIN_AFTER_MS = 10_000;

/**
 * How a cluster comes to be, and how a node finds its way back into it. Before a cluster exists the nodes
 * only say hello; the first of the list creates it when all the others have answered that they are empty.
 */
export class Formation {
  readonly #options: FormationOptions;
  #genesis: Genesis | undefined;
  /** The one genesis that is being written. */
  #accepting: Promise<void> | undefined;
  #onGenesis: (() => void) | undefined;
  /** Members of the cluster that answered in this start, with the furthest they remember of this node. */
  readonly #answered = new Map<string, Progress>();
  #stopped = false;
  /** This directory has never had a genesis. */
  #isEmpty: boolean;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#isEmpty = !options.identity.initialized;
  }

  get genesis(): Genesis | undefined {
    return this.#genesis;
  }

  /** Resolves with the cluster's genesis once it is durable here. */
  async join(): Promise<Genesis> {
    const { identity, peers } = this.#options;
    this.#genesis = await this.#readGenesis();
    if (this.#genesis !== undefined) {
      this.#checkOwnEntry(this.#genesis);
      return this.#genesis;
    }
    if (peers[0]?.name === identity.name && this.#isEmpty) await this.#create();
    else await this.#waitForGenesis();
    return this.#genesis as unknown as Genesis;
  }

  /**
   * Waits until a majority of the nodes, this one included, has answered. Returns the furthest that any of
   * them remembers of this node: more than the directory holds means that it was rolled back. A node that
   * holds no genesis does not count: with an empty directory it remembers nothing.
   */
  async hearMajority(genesis: Genesis): Promise<Progress | undefined> {
    const needed = Math.floor(genesis.nodes.length / 2) + 1;
    const others = this.#otherMembers(genesis);
    await this.#repeat('a majority of the nodes', async () => {
      await Promise.all(others.map((peer) => this.#hello(peer)));
      return this.#answered.size + 1 >= needed;
    });
    let furthest: Progress | undefined;
    for (const remembered of this.#answered.values()) furthest = furthestOf(furthest, remembered);
    return furthest;
  }

  /** Nodes that were away when the cluster was created still need its genesis. */
  offerGenesis(node: string): void {
    if (this.#genesis === undefined) return;
    const id = this.#options.rpc.newId();
    this.#options.rpc.post(node, 'consensus', id, { genesis: encodeGenesis(this.#genesis) });
  }

  /** Answers another node's part in the formation. */
  handle(from: string, message: RpcMessage, reply: (body: RpcBody) => void): void {
    if (message.hello != null) {
      this.#options.learnAddress(from, message.hello.mqttAddress ?? '');
      reply({ helloReply: this.#answerHello(message.hello) });
    } else if (message.genesis != null) {
      this.#accept(decodeGenesis(message.genesis as cluster.Genesis)).then(
        (reason) =>
          reply({ genesisReply: { accepted: reason === undefined, reason: reason ?? '' } }),
        // It could not be written. `join` waits for the same promise and ends the start.
        () => {},
      );
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Whoever has had a genesis gets it from the others if it is lost, and never creates a second one. */
  async #readGenesis(): Promise<Genesis | undefined> {
    const { env, vfs, directory } = this.#options;
    const { found, damaged } = await readGenesis(vfs, directory).then(
      (genesis) => ({ found: genesis, damaged: undefined }),
      (error: unknown) => ({ found: undefined, damaged: asDamage(error) }),
    );
    if (damaged !== undefined) this.#isEmpty = false;
    if (found !== undefined || this.#isEmpty) return found;
    const message = `${directory}/genesis is ${damaged === undefined ? 'missing' : 'damaged'}`;
    if (this.#others().length === 0) throw damaged ?? new NodeError('STATE_DAMAGED', message);
    env.events.emit({ level: 'error', name: 'state-damaged', message: `${message}: asking peers` });
    return undefined;
  }

  #others(): PeerAddress[] {
    return this.#options.peers.filter(({ name }) => name !== this.#options.identity.name);
  }

  /** Where the other members are: at the address of --peers, else where they were at the creation. */
  #otherMembers(genesis: Genesis): PeerAddress[] {
    const listed = new Map(this.#others().map((peer) => [peer.name, peer]));
    return genesis.nodes
      .filter(({ node }) => node !== this.#options.identity.node)
      .map(({ name, mqttAddress }) => listed.get(name) ?? { name, mqttAddress });
  }

  /** A peer that is not empty knows this node from a cluster that it has forgotten, and sends its genesis. */
  async #create(): Promise<void> {
    const { env, identity, mqttAddress, peers } = this.#options;
    const empty = new Map<string, { node: string }>();
    await this.#repeat('all nodes of --peers', async () => {
      if (this.#genesis !== undefined) return true;
      await Promise.all(
        this.#others().map(async (peer) => {
          const answer = await this.#hello(peer);
          if (answer?.empty) empty.set(peer.name, { node: answer.node });
        }),
      );
      await this.#accepting;
      return this.#genesis !== undefined || empty.size === peers.length - 1;
    });
    if (this.#genesis !== undefined) return;
    const nodes = peers.map((peer) => ({
      ...peer,
      ...(peer.name === identity.name
        ? { node: identity.node, mqttAddress }
        : { node: (empty.get(peer.name) as { node: string }).node }),
    }));
    const genesis = createGenesis({
      clusterId: randomId(env.random),
      nowMs: env.clock.nowMs(),
      replicationFactor: this.#options.replicationFactor,
      shardCount: this.#options.shardCount,
      nodes,
    });
    await this.#write(genesis);
    for (const { node } of nodes) if (node !== identity.node) this.offerGenesis(node);
  }

  async #waitForGenesis(): Promise<void> {
    await this.#repeat('the node that creates the cluster', async () => {
      if (this.#genesis !== undefined) return true;
      await Promise.all(this.#others().map((peer) => this.#hello(peer)));
      await this.#accepting;
      return this.#genesis !== undefined;
    });
  }

  /** Asks one peer who it is. Refusals end the start of this node. */
  async #hello(peer: PeerAddress): Promise<{ node: string; empty: boolean } | undefined> {
    const { identity, rpc, mqttAddress } = this.#options;
    const clusterId = this.#genesis?.clusterId ?? '';
    const hello = {
      node: identity.node,
      name: identity.name,
      mqttAddress,
      clusterId,
      startCounter: identity.startCounter,
    };
    const answer = await rpc.call(peer.mqttAddress, 'consensus', { hello }, CALL_DEADLINE_MS);
    const reply = answer?.helloReply;
    if (reply == null || reply.node === undefined) return undefined;
    if (reply.refusalCode !== undefined && reply.refusalCode !== '') {
      throw new NodeError(reply.refusalCode as NodeErrorCode, reply.refusal ?? 'refused by a peer');
    }
    if (reply.name !== peer.name) {
      throw new NodeError(
        'CONFIG_INVALID',
        `--peers says that ${peer.name} is at ${peer.mqttAddress}, but the node there is named ${reply.name}.`,
      );
    }
    this.#options.learnAddress(reply.node, peer.mqttAddress);
    const genesis = this.#genesis;
    if (genesis !== undefined && reply.clusterId === '') this.offerGenesis(reply.node);
    const isMember = genesis?.nodes.some(({ node }) => node === reply.node) ?? false;
    if (isMember && reply.clusterId === genesis?.clusterId) {
      const remembered = {
        startCounter: reply.rememberedStartCounter ?? 0,
        syncedRound: reply.rememberedSyncedRound ?? 0,
      };
      this.#answered.set(reply.node, furthestOf(this.#answered.get(reply.node), remembered));
    }
    return { node: reply.node, empty: reply.empty ?? false };
  }

  #answerHello(hello: NonNullable<RpcMessage['hello']>): NonNullable<RpcBody['helloReply']> {
    const { identity, memory } = this.#options;
    const remembered = memory.get(hello.node ?? '');
    const refusal = this.#refusal(hello);
    if (refusal === undefined && this.#genesis !== undefined && hello.clusterId === '') {
      this.offerGenesis(hello.node ?? '');
    }
    return {
      node: identity.node,
      name: identity.name,
      clusterId: this.#genesis?.clusterId ?? '',
      empty: this.#genesis === undefined && this.#isEmpty,
      rememberedStartCounter: remembered?.startCounter ?? 0,
      rememberedSyncedRound: remembered?.syncedRound ?? 0,
      ...refusal,
    };
  }

  #refusal(
    hello: NonNullable<RpcMessage['hello']>,
  ): { refusalCode: NodeErrorCode; refusal: string } | undefined {
    const genesis = this.#genesis;
    if (genesis === undefined) return undefined;
    const own = this.#options.identity.name;
    if (hello.clusterId !== '' && hello.clusterId !== genesis.clusterId) {
      return {
        refusalCode: 'WRONG_CLUSTER',
        refusal: `the data directory of ${hello.name} belongs to cluster ${hello.clusterId}, but ${own} belongs to cluster ${genesis.clusterId}.`,
      };
    }
    if (genesis.nodes.some(({ node }) => node === hello.node)) return undefined;
    const sameName = genesis.nodes.find(({ name }) => name === hello.name);
    if (sameName !== undefined) {
      return {
        refusalCode: 'NAME_TAKEN',
        refusal: `the name ${hello.name} is taken: cluster ${genesis.clusterId} knows it as node ${sameName.node}, and this data directory is empty, which makes it a new node. Start ${hello.name} with its own data directory.`,
      };
    }
    return {
      refusalCode: 'WRONG_CLUSTER',
      refusal: `cluster ${genesis.clusterId} has no node named ${hello.name}: it was created with ${genesis.nodes.map(({ name }) => name).join(', ')}.`,
    };
  }

  /** Returns why this genesis was not accepted; nothing if it was, or was already. */
  async #accept(genesis: Genesis): Promise<string | undefined> {
    if (this.#accepting !== undefined) await this.#accepting;
    if (this.#genesis !== undefined) {
      const same = this.#genesis.clusterId === genesis.clusterId;
      return same ? undefined : `this node belongs to cluster ${this.#genesis.clusterId}`;
    }
    const { identity } = this.#options;
    const own = genesis.nodes.find(({ node }) => node === identity.node);
    if (own === undefined || own.name !== identity.name) return 'it does not name this node';
    await this.#write(genesis);
    return undefined;
  }

  /** From the first call on no other genesis can be accepted, also while this one is being written. */
  #write(genesis: Genesis): Promise<void> {
    const { vfs, directory } = this.#options;
    this.#accepting = writeGenesis(vfs, directory, genesis).then(() => {
      this.#genesis = genesis;
      this.#onGenesis?.();
    });
    return this.#accepting;
  }

  #checkOwnEntry(genesis: Genesis): void {
    const { identity, directory } = this.#options;
    const own = genesis.nodes.find(({ node }) => node === identity.node);
    if (own?.name === identity.name) return;
    throw new NodeError(
      'NAME_TAKEN',
      `the data directory ${directory} belongs to ${own?.name ?? `another node`} of cluster ${genesis.clusterId}, not to ${identity.name}.`,
    );
  }

  /** Tries until it works, and says after a while what it is waiting for. */
  async #repeat(what: string, attempt: () => Promise<boolean>): Promise<void> {
    const { clock, timers, events } = this.#options.env;
    const startedAtMs = clock.monotonicMs();
    let complained = false;
    while (!this.#stopped && !(await attempt())) {
      if (!complained && clock.monotonicMs() - startedAtMs > COMPLAIN_AFTER_MS) {
        complained = true;
        events.emit({
          level: 'warn',
          name: 'waiting-for-peers',
          message: `still waiting for ${what} to answer: are they running, at the addresses of --peers, with the same cluster secret?`,
        });
      }
      await new Promise<void>((resolve) => {
        const cancel = timers.after(RETRY_MS, resolve);
        this.#onGenesis = () => {
          cancel();
          resolve();
        };
      });
    }
    if (this.#stopped)
      throw new NodeError('CONFIG_INVALID', 'the node was stopped while it started');
  }
}

/** @throws what is no damage */
function asDamage(error: unknown): NodeError {
  if (error instanceof NodeError && error.code === 'STATE_DAMAGED') return error;
  throw error;
}
