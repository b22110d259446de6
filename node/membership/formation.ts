import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { NodeError } from '../errors.ts';
import { NODES_MAX } from '../settings/nodes.ts';
import type { RpcBody, RpcHub, RpcMessage } from '../transport/rpc.ts';
import type { ClusterRecord } from './cluster-record.ts';
import {
  createGenesis,
  decodeGenesis,
  encodeGenesis,
  type Genesis,
  readGenesis,
} from './genesis.ts';
import { Greeting, type GreetingOptions, type Self } from './greeting.ts';
import { type Identity, randomId } from './identity.ts';
import { Joining, type JoinTarget } from './joining.ts';
import { Newcomers } from './newcomers.ts';
import { furthestOf, type PeerMemory, type Progress } from './peer-memory.ts';
import { isOutside, waitingSentence } from './succession.ts';

/** A node as the command line names it. */
export interface PeerAddress {
  readonly name: string;
  readonly mqttAddress: string;
}

/** How a node whose directory is empty gets into a cluster. */
export interface Entrance {
  /** All nodes of the first membership, this one included; the first of them creates the cluster. */
  readonly peers: readonly PeerAddress[];
  /** This node creates the cluster, as soon as so many nodes are there, itself included. */
  readonly bootstrap?: { readonly expect: number } | undefined;
  readonly join?: JoinTarget | undefined;
}

export interface FormationOptions extends Pick<GreetingOptions, 'learnAddress'> {
  readonly env: Env;
  readonly directory: string;
  readonly identity: Identity;
  readonly self: Self & { readonly httpAddress: () => string };
  readonly entrance: Entrance;
  readonly replicationFactor: number;
  readonly shardCount: number;
  readonly rpc: RpcHub;
  readonly memory: PeerMemory;
  readonly record: ClusterRecord;
}

type JoinRequest = cluster.JoinRequest.$Properties;
type JoinReply = cluster.JoinReply.$Properties;

const RETRY_MS = 300;
const TRIES_MAX = 3;
const COMPLAIN_AFTER_MS = 10_000;

/**
 * How a cluster comes to be, how a node gets into it, and how it finds its way back. Before a cluster exists the nodes
 * only say hello: the first of `peers` creates it when all the others have answered that they are empty, and one that
 * bootstraps when enough have asked to join.
 */
export class Formation {
  /** Lets other nodes in, once this one is a member. */
  admit: ((request: JoinRequest) => Promise<JoinReply>) | undefined;
  readonly #options: FormationOptions;
  readonly #record: ClusterRecord;
  readonly #greeting: Greeting;
  /** The one genesis that is being written. */
  #accepting: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  /** Members of the cluster that answered in this start, with the furthest they remember of this node. */
  readonly #answered = new Map<string, Progress>();
  readonly #newcomers: Newcomers;
  #stopped = false;
  #failure: NodeError | undefined;
  /** This directory has never had a genesis. */
  #isEmpty: boolean;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#record = options.record;
    this.#isEmpty = !options.identity.initialized;
    this.#newcomers = new Newcomers(options.env.clock);
    this.#greeting = new Greeting({
      ...options,
      isJoining: options.entrance.join !== undefined,
      isEmpty: () => this.#isEmpty,
    });
  }

  /** Resolves with the cluster's genesis once it is durable here. */
  async enter(): Promise<Genesis> {
    const { bootstrap, join, peers } = this.#options.entrance;
    await this.#readGenesis();
    const isMember = this.#record.genesis !== undefined;
    if (isMember) this.#checkTarget(join);
    else if (!this.#isEmpty) await this.#waitForGenesis();
    else if (join !== undefined) await this.#joinCluster(join);
    else if (bootstrap !== undefined) await this.#bootstrap(bootstrap.expect);
    else if (peers[0]?.name === this.#options.identity.name) await this.#create(peers);
    else await this.#waitForGenesis();
    this.#checkOwnEntry();
    return this.#record.genesis as Genesis;
  }

  /**
   * Waits until a majority of the nodes, this one included, has answered. Returns the furthest that any of
   * them remembers of this node: more than the directory holds means that it was rolled back. A node that
   * holds no genesis does not count: with an empty directory it remembers nothing. Who the nodes are may be told by
   * the answers: while this one was away, others came and went.
   */
  async hearMajority(): Promise<Progress | undefined> {
    await this.#repeat('a majority of the nodes to answer', async () => {
      await Promise.all(this.#memberAddresses().map((address) => this.#meet(address)));
      return this.#hasMajority();
    });
    let furthest: Progress | undefined;
    for (const remembered of this.#answered.values()) furthest = furthestOf(furthest, remembered);
    return furthest;
  }

  /** The names of those of some nodes that answer: whoever is said to be lost, and lives, must not be counted out. */
  async answering(nodes: readonly string[]): Promise<string[]> {
    const { env, learnAddress } = this.#options;
    const rows = this.#record.liveRows.filter(({ node }) => nodes.includes(node));
    for (const { node, mqttAddress } of rows) learnAddress(node, mqttAddress);
    const heard = new Set<string>();
    for (let tries = 0; tries < TRIES_MAX && heard.size < rows.length; tries++) {
      await Promise.all(
        rows.map(async ({ node, name, mqttAddress }) => {
          const greeted = await this.#greeting.ask(mqttAddress).catch(unlessElsewhere);
          if (greeted?.node === node) heard.add(name);
        }),
      );
      await new Promise<void>((resolve) => env.timers.after(RETRY_MS, resolve));
    }
    return [...heard].sort();
  }

  /** Answers another node's part in the formation. */
  handle(from: string, message: RpcMessage, reply: (body: RpcBody) => void): void {
    const { learnAddress } = this.#options;
    if (message.hello != null) {
      learnAddress(from, message.hello.mqttAddress ?? '');
      if (this.#isEntering()) this.#newcomers.note(from, message.hello);
      const helloReply = this.#greeting.answer(message.hello);
      if (helloReply.refusalCode === undefined && message.hello.clusterId === '') {
        this.#offerGenesis(from);
      }
      reply({ helloReply });
    } else if (message.genesis != null) {
      this.#accept(decodeGenesis(message.genesis as cluster.Genesis)).then(
        (reason) =>
          reply({ genesisReply: { accepted: reason === undefined, reason: reason ?? '' } }),
        // It could not be written. `enter` waits for the same promise and ends the start.
        () => {},
      );
    } else if (message.joinRequest != null && message.joinRequest.row?.node === from) {
      learnAddress(from, message.joinRequest.row.mqttAddress ?? '');
      void this.#admit(message.joinRequest).then((joinReply) => reply({ joinReply }));
    }
  }

  /** A node at this address does not believe that this one knows the cluster secret. */
  refusedAt(address: string): void {
    const { identity, entrance } = this.#options;
    // Where members were once, others may be now.
    if (!this.#isEntering() || identity.succeeds !== undefined) return;
    if (!entrance.join?.addresses.includes(address)) return;
    this.#failure = new NodeError(
      'WRONG_SECRET',
      `the node at ${address} belongs to another cluster, or has another cluster secret: is the token of that cluster, and complete?`,
    );
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  #isEntering(): boolean {
    return this.#record.genesis === undefined && this.#isEmpty;
  }

  /** Whoever has had a genesis gets it from the others if it is lost, and never creates a second one. */
  async #readGenesis(): Promise<void> {
    const { env, directory, identity } = this.#options;
    if (isOutside(identity, this.#record)) return;
    const { found, damaged } = await readGenesis(env.vfs, directory).then(
      (genesis) => ({ found: genesis, damaged: undefined }),
      (error: unknown) => ({ found: undefined, damaged: asDamage(error) }),
    );
    if (found !== undefined) this.#record.useGenesis(found);
    if (damaged !== undefined) this.#isEmpty = false;
    if (found !== undefined || this.#isEmpty) return;
    const message = `${directory}/genesis is ${damaged === undefined ? 'missing' : 'damaged'}`;
    if (this.#memberAddresses().length === 0) {
      throw damaged ?? new NodeError('STATE_DAMAGED', message);
    }
    env.events.emit({ level: 'error', name: 'state-damaged', message: `${message}: asking peers` });
  }

  /** Where others may be: where the node table has them, and where the command line says. */
  #memberAddresses(): string[] {
    const { identity, self, entrance } = this.#options;
    const others = this.#record.liveRows.filter(({ node }) => node !== identity.node);
    const addresses = [
      ...others.map(({ mqttAddress }) => mqttAddress),
      ...this.#otherPeers().map(({ mqttAddress }) => mqttAddress),
      ...(entrance.join?.addresses ?? []),
    ];
    return [...new Set(addresses)].filter((address) => address !== self.mqttAddress);
  }

  #otherPeers(): PeerAddress[] {
    const { identity, entrance } = this.#options;
    return entrance.peers.filter(({ name }) => name !== identity.name);
  }

  /** Who has never been heard since it was let in remembers nothing, and may never come: it does not count. */
  #hasMajority(): boolean {
    const counting = this.#record.liveRows.filter(({ state }) => state !== 'joining');
    const { node: own } = this.#options.identity;
    const heard = counting.filter(({ node }) => node === own || this.#answered.has(node));
    return heard.length >= Math.floor(counting.length / 2) + 1;
  }

  /** Says hello to a member, or to one that is to become one and still needs the genesis. */
  async #meet(address: string): Promise<void> {
    const greeted = await this.#greeting.ask(address);
    const clusterId = this.#record.clusterId;
    if (greeted === undefined || clusterId === undefined) return;
    const { node, remembered } = greeted;
    if (greeted.clusterId === '') this.#offerGenesis(node);
    if (greeted.clusterId !== clusterId) return;
    this.#answered.set(node, furthestOf(this.#answered.get(node), remembered));
  }

  /** A peer that is not empty knows this node from a cluster that it has forgotten, and sends its genesis. */
  async #create(peers: readonly PeerAddress[]): Promise<void> {
    const empty = new Map<string, Self>();
    await this.#repeat('all nodes of --peers to answer', async () => {
      if (this.#record.genesis !== undefined) return true;
      await Promise.all(
        this.#otherPeers().map(async (peer) => {
          const answer = await this.#greetPeer(peer);
          if (answer?.isEmpty) empty.set(peer.name, answer);
        }),
      );
      await this.#accepting;
      return this.#record.genesis !== undefined || empty.size === peers.length - 1;
    });
    if (this.#record.genesis !== undefined) return;
    const { identity, self } = this.#options;
    await this.#found(
      peers.map(({ name }) => (name === identity.name ? self : (empty.get(name) as Self))),
    );
  }

  async #bootstrap(expect: number): Promise<void> {
    const { self, identity } = this.#options;
    const count = expect - 1;
    let others: readonly Self[] = [];
    await this.#repeat(`${count} more to join (--expect ${expect})`, async () => {
      await this.#accepting;
      others = this.#newcomers.present(identity.name).slice(0, NODES_MAX - 1);
      return this.#record.genesis !== undefined || others.length >= count;
    });
    if (this.#record.genesis !== undefined) return;
    await this.#found([self, ...others]);
  }

  async #found(nodes: readonly Self[]): Promise<void> {
    const { env, replicationFactor, shardCount, identity } = this.#options;
    const genesis = createGenesis({
      clusterId: randomId(env.random),
      nowMs: env.clock.nowMs(),
      replicationFactor,
      shardCount,
      nodes: nodes.map(({ node, name, mqttAddress, weight, zone }) => ({
        ...{ node, name, mqttAddress, weight, zone },
      })),
    });
    await this.#write(genesis);
    for (const { node } of nodes) if (node !== identity.node) this.#offerGenesis(node);
  }

  async #joinCluster(target: JoinTarget): Promise<void> {
    const joining = new Joining({ ...this.#options, target, greeting: this.#greeting });
    const where = target.addresses.join(' or ');
    await this.#repeat(`${where} to let this node in`, async () => {
      for (const address of target.addresses) {
        const genesis = await joining.ask(address);
        // Meanwhile one may have come by itself: from a node that has waited for this one to create the cluster.
        await this.#accepting;
        if (this.#record.genesis === undefined && genesis !== undefined) await this.#write(genesis);
        if (this.#record.genesis !== undefined) return true;
      }
      return false;
    });
  }

  async #waitForGenesis(): Promise<void> {
    await this.#repeat('the cluster', async () => {
      if (this.#record.genesis !== undefined) return true;
      const peers = this.#otherPeers();
      const listed = new Set(peers.map(({ mqttAddress }) => mqttAddress));
      const others = this.#memberAddresses().filter((address) => !listed.has(address));
      await Promise.all([
        ...peers.map((peer) => this.#greetPeer(peer)),
        ...others.map((address) => this.#greeting.ask(address)),
      ]);
      await this.#accepting;
      return this.#record.genesis !== undefined;
    });
  }

  /** While a cluster forms, --peers must be right. */
  async #greetPeer({ name, mqttAddress }: PeerAddress) {
    const greeted = await this.#greeting.ask(mqttAddress);
    if (greeted === undefined || greeted.name === name) return greeted;
    throw new NodeError(
      'CONFIG_INVALID',
      `--peers says that ${name} is at ${mqttAddress}, but the node there is named ${greeted.name}.`,
    );
  }

  async #admit(request: JoinRequest): Promise<JoinReply> {
    return (await this.admit?.(request).catch(() => undefined)) ?? { accepted: false };
  }

  /** Nodes that were away when the cluster was created still need its genesis. */
  #offerGenesis(node: string): void {
    const { genesis } = this.#record;
    if (genesis === undefined || this.#record.rowOf(node) === undefined) return;
    const id = this.#options.rpc.newId();
    this.#options.rpc.post(node, 'consensus', id, { genesis: encodeGenesis(genesis) });
  }

  /** Returns why this genesis was not accepted; nothing if it was, or was already. */
  async #accept(genesis: Genesis): Promise<string | undefined> {
    if (this.#accepting !== undefined) await this.#accepting;
    const known = this.#record.genesis;
    if (known !== undefined) {
      const same = known.clusterId === genesis.clusterId;
      return same ? undefined : `this node belongs to cluster ${known.clusterId}`;
    }
    const { identity } = this.#options;
    const rows = [...genesis.nodes, ...this.#record.rows];
    const own = rows.find(({ node }) => node === identity.node);
    if (own === undefined || own.name !== identity.name) return 'it does not name this node';
    await this.#write(genesis);
    return undefined;
  }

  /** From the first call on no other genesis can be accepted, also while this one is being written. */
  #write(genesis: Genesis): Promise<void> {
    this.#accepting = this.#record.writeGenesis(genesis).then(() => this.#wake?.());
    return this.#accepting;
  }

  /** Told to join what it belongs to already, a node just starts; anything else is a mistake. */
  #checkTarget(join: JoinTarget | undefined): void {
    const { env, identity, directory } = this.#options;
    if (join === undefined || identity.succeeds !== undefined) return;
    const { clusterId } = this.#record;
    if (join.clusterId !== undefined && join.clusterId !== clusterId) {
      throw new NodeError(
        'WRONG_CLUSTER',
        `the data directory ${directory} belongs to cluster ${clusterId}, but the token is for cluster ${join.clusterId}.`,
      );
    }
    env.events.emit({
      level: 'info',
      name: 'member-already',
      message: `${identity.name} is a member of cluster ${clusterId} already: it needs --join no more`,
    });
  }

  #checkOwnEntry(): void {
    const { identity, directory } = this.#options;
    const { clusterId } = this.#record;
    const own = this.#record.rowOf(identity.node);
    // A node table that was lost is told by the others.
    if (own?.name === identity.name || (own === undefined && this.#record.revision === 0)) return;
    throw new NodeError(
      'NAME_TAKEN',
      `the data directory ${directory} belongs to ${own?.name ?? 'another node'} of cluster ${clusterId}, not to ${identity.name}.`,
    );
  }

  /** Tries until it works, and says after a while what it is waiting for; again and again, if data may be at stake. */
  async #repeat(what: string, attempt: () => Promise<boolean>): Promise<void> {
    const { env, identity, directory } = this.#options;
    const { clock, timers, events } = env;
    let complainAtMs = clock.monotonicMs() + COMPLAIN_AFTER_MS;
    while (!this.#stopped && !(await attempt())) {
      if (this.#failure !== undefined) throw this.#failure;
      if (clock.monotonicMs() > complainAtMs) {
        const isPressing = isOutside(identity, this.#record);
        complainAtMs = isPressing
          ? clock.monotonicMs() + COMPLAIN_AFTER_MS
          : Number.POSITIVE_INFINITY;
        const message = isPressing
          ? waitingSentence(identity, this.#memberAddresses(), directory)
          : `still waiting for ${what}: are the others running, at the addresses given, with the same cluster secret?`;
        events.emit({ level: 'warn', name: 'waiting-for-peers', message });
      }
      await new Promise<void>((resolve) => {
        const cancel = timers.after(RETRY_MS, resolve);
        this.#wake = () => {
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

/** Somebody else may have the address of a machine that is gone. */
function unlessElsewhere(error: unknown): undefined {
  if (!(error instanceof NodeError && error.code === 'WRONG_CLUSTER')) throw error;
}
