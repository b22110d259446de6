import type { Message } from '../../broker/ordinary/message.ts';
import type {
  ClientClaim,
  Delivery,
  Interest,
  PeerEvents,
  SharedPick,
} from '../../broker/ordinary/peers.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { Env } from '../../node/env.ts';
import { PeerMemory } from '../../node/membership/peer-memory.ts';
import { NodeMessages } from '../../node/messages/node-messages.ts';
import { ClusterLink } from '../../node/transport/cluster-link.ts';
import { credentials } from '../../node/transport/secret.ts';
import { SeededRandom } from '../support/random.ts';
import { utf8 } from '../support/text.ts';
import { Network } from './network.ts';
import { Life, World } from './world.ts';

const SECRET = 'secret';

export function ordinary(filter: string): Interest {
  return { group: '', filter, clientId: '' };
}

/** A node that has nothing but links to the others, and remembers what they say. */
export class Messenger implements PeerEvents {
  readonly node: string;
  readonly address: string;
  readonly published: Message[] = [];
  startCounter = 0;
  life: Life | undefined;
  link!: ClusterLink;
  messages!: NodeMessages;
  /** In this run. */
  got: { readonly message: Message; readonly shared: readonly SharedPick[] }[] = [];
  /** `down <node>`, `up <node>`, `taken <client>`, `hint <client>`. */
  events: string[] = [];
  undeliveredTo: { readonly node: string; readonly delivery: Delivery }[] = [];
  /** Clients that are connected, with their address. */
  readonly clients = new Map<string, string>();

  constructor(ordinal: number) {
    this.node = String(ordinal).repeat(16);
    this.address = `10.0.0.${ordinal}:1883`;
  }

  publish(topic: string, options: Partial<Message> = {}): Message {
    const message = this.message(topic, options);
    this.messages.publish(message);
    return message;
  }

  share(topic: string, options: Partial<Message> = {}): readonly SharedPick[] {
    const message = this.message(topic, options);
    const here = this.messages.share(message);
    if (here.length > 0) this.received(message, here);
    return here;
  }

  message(topic: string, options: Partial<Message> = {}): Message {
    const number = this.published.length + 1;
    const message: Message = {
      id: `${this.node} ${this.startCounter} ${number}`,
      ...{ topic, payload: utf8(`p${number}`), qos: 1, retain: false },
      ...{ properties: new Uint8Array(0), expiresAtMs: undefined, from: 'publisher' },
      ...options,
    };
    this.published.push(message);
    return message;
  }

  /** A client connects here. */
  async connect(clientId: string, connectedAtMs: number, user = 'u'): Promise<boolean> {
    const address = `${user} ${clientId}@${this.node}`;
    this.clients.set(clientId, address);
    const claim = { clientId, connectedAtMs, address, user, displacedAddress: '' };
    const isAlone = await this.messages.takeOver(claim);
    if (!isAlone) this.clients.delete(clientId);
    return isAlone;
  }

  received(message: Message, shared: readonly SharedPick[]): void {
    this.got.push({ message, shared });
  }

  undelivered(node: string, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.undeliveredTo.push({ node, delivery });
  }

  async takenOver({ clientId, user }: ClientClaim): Promise<string | undefined> {
    const address = this.clients.get(clientId) ?? '';
    if (address !== '' && !address.startsWith(`${user} `)) return undefined;
    this.clients.delete(clientId);
    this.events.push(`taken ${clientId}`);
    return address;
  }

  hinted(clientId: string): void {
    this.events.push(`hint ${clientId}`);
  }

  unreachable(node: string): void {
    this.events.push(`down ${node[0]}`);
  }

  reachable(node: string): void {
    this.events.push(`up ${node[0]}`);
  }
}

/** Nodes that pass on messages, over the simulated network. */
export class Messengers {
  readonly world = new World();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly nodes: Messenger[] = [];
  /** Who is in the cluster, as all of them see it. */
  readonly members: Messenger[];

  constructor(options: { readonly nodes: number; readonly seed: number }) {
    this.random = new SeededRandom(options.seed);
    this.network = new Network(this.world, this.random);
    for (let i = 1; i <= options.nodes; i++) this.nodes.push(new Messenger(i));
    this.members = [...this.nodes];
  }

  node(index: number): Messenger {
    return this.nodes[index] as Messenger;
  }

  async startAll(): Promise<void> {
    for (const node of this.nodes) await this.start(node);
    await this.untilConnected();
  }

  async start(node: Messenger): Promise<void> {
    const life = new Life(this.world, node.node);
    const env = this.#env(life);
    const { address } = node;
    node.life = life;
    node.startCounter += 1;
    const own = { node: node.node, startCounter: node.startCounter };
    const link = new ClusterLink({
      ...{ env, own, secret: SECRET, onHello: () => {}, onRefused: () => {} },
      transport: this.network.transport({
        ...{ address, life, node: own.node },
        credentials: () => credentials(SECRET, own.node, env.random.bytes(16)),
      }),
      memory: await PeerMemory.open(env.vfs, '/data', env.events),
    });
    const messages = new NodeMessages({
      ...{ env, own, rpc: link.rpc },
      others: () => this.members.map((each) => each.node).filter((each) => each !== own.node),
      deciding: () => this.members.map((each) => each.node),
      send: (to, payload) => link.sendMessages(to, payload),
    });
    Object.assign(node, { link, messages, got: [], events: [] });
    node.clients.clear();
    for (const other of this.nodes)
      if (other !== node) link.learnAddress(other.node, other.address);
    link.attach('c', {
      raft: () => {},
      heartbeat: () => {},
      rpc: (from, message, reply) => void messages.serve(from, message, reply),
      messages: (peer, payload) => messages.receive(peer, payload),
      disconnected: (peer) => messages.disconnected(peer),
      connected: () => {},
      heard: () => {},
    });
    this.network.listen(address, { node: own.node, door: link.door, life });
    messages.start(node);
  }

  kill(node: Messenger): void {
    if (node.life !== undefined) node.life.alive = false;
    node.life = undefined;
    this.network.die(node.address);
  }

  /** Everybody that lives reaches everybody that lives. */
  async untilConnected(): Promise<void> {
    const alive = this.nodes.filter(({ life }) => life !== undefined);
    await this.world.until('all are connected', () =>
      alive.every(({ messages, node }) =>
        alive.every((other) => other.node === node || messages.isReachable(other.node)),
      ),
    );
  }

  #env(life: Life): Env {
    const vfs = new CrashableMemVfs();
    return {
      ...{ clock: life, timers: life, events: life, vfs, offload: new InlineOffload(vfs) },
      random: {
        below: (bound) => this.random.below(bound),
        bytes: (length) => Uint8Array.from({ length }, () => this.random.below(256)),
      },
      yield: (task) => void life.after(0, task),
    };
  }
}
