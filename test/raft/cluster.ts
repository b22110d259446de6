import { EntryKind, type Message, type ReplicaId } from '../../node/raft/types.ts';
import { SeededRandom } from '../support/random.ts';
import { Checkers } from './checkers.ts';
import { type Defect, TestNode } from './test-node.ts';

export interface ClusterOptions {
  readonly seed: number;
  readonly defect?: Defect | undefined;
}

/**
 * Some nodes and a network, where anything may happen next that a bad network and bad power allow: messages are
 * lost, doubled and overtaken, disks are slow, nodes lose what they have not synced. One seed, one history.
 */
export class Cluster {
  readonly random: SeededRandom;
  readonly nodes: TestNode[];
  readonly checkers: Checkers;
  #network: Message[] = [];
  /** Nodes of different sides do not hear each other. */
  #sides = new Map<ReplicaId, number>();
  /** A replica whose clock hardly moves: as a leader it notices late that it has been replaced. */
  readonly #slowClock: ReplicaId;
  readonly #restartRate: number;
  readonly #partitionRate: number;
  #nextProposal = 0;
  #nextToken = 0;

  constructor({ seed, defect }: ClusterOptions) {
    this.random = new SeededRandom(seed);
    this.#restartRate = this.random.pick([0, 0.01, 0.01, 0.05]);
    this.#partitionRate = this.random.pick([0, 0.003, 0.01]);
    this.#slowClock = this.random.below(4);
    const voterCount = this.random.pick([1, 2, 3, 3, 3, 4, 5, 5]);
    const hasLearner = this.random.chance(0.3);
    const ids = Array.from({ length: voterCount + (hasLearner ? 1 : 0) }, (_, i) => i + 1);
    const configuration = {
      voters: ids.slice(0, voterCount),
      outgoing: [],
      learners: ids.slice(voterCount),
    };
    const limits = {
      electionTicks: this.random.pick([2, 3, 5]),
      appendBytesMax: this.random.pick([1, 60, 1000]),
      inflightBytesMax: this.random.pick([1, 100, 1000]),
      uncommittedBytesMax: this.random.pick([1, 200, 10_000]),
      committedBytesMax: this.random.pick([1, 100, 10_000]),
    };
    const randomBelow = (bound: number) => this.random.below(bound);
    this.nodes = ids.map((id) => new TestNode({ id, configuration, randomBelow, limits, defect }));
    this.checkers = new Checkers(this.nodes, configuration);
  }

  /** Random events, each followed by all checks. */
  run(steps: number): void {
    for (let i = 0; i < steps; i++) {
      const node = this.random.pick(this.nodes);
      this.#event(node);
      this.checkers.check(node);
    }
  }

  #event(node: TestNode): void {
    if (this.random.chance(this.#restartRate)) this.#restart(node);
    if (this.random.chance(this.#partitionRate)) this.#partition();
    if (this.random.chance(0.003)) this.#sides.clear();
    const dice = this.random.below(1000);
    if (dice < 350) this.#deliverSome();
    else if (dice < 600) this.#processReady(node);
    else if (dice < 800) this.#persistSome(node);
    else if (dice < 860) this.#tick(node);
    else if (dice < 900) this.#propose(this.#someLeader() ?? node);
    else if (dice < 925) this.#read(this.random.chance(0.5) ? node : (this.#someLeader() ?? node));
    else if (dice < 955) node.serveFetch(this.random.pick([0, 1, 2, 1000]));
    else if (dice < 985) this.#forget(node);
    else if (dice < 995) node.raft.peerUnreachable(this.random.pick(this.nodes).id);
    else node.raft.campaign();
  }

  #deliverSome(): void {
    const count = 1 + this.random.below(6);
    for (let i = 0; i < count && this.#network.length > 0; i++) {
      const at = this.random.chance(0.7) ? 0 : this.random.below(this.#network.length);
      const message = this.#network[at] as Message;
      if (this.random.chance(0.9)) this.#network.splice(at, 1);
      if (this.random.chance(0.95)) this.#deliver(message);
    }
  }

  #deliver(message: Message): void {
    if (this.#sideOf(message.from) !== this.#sideOf(message.to)) return;
    const node = this.nodes.find(({ id }) => id === message.to);
    if (node === undefined) return;
    node.raft.step(message);
    this.checkers.check(node);
  }

  #sideOf(id: ReplicaId): number {
    return this.#sides.get(id) ?? 0;
  }

  #processReady(node: TestNode): void {
    if (!node.raft.hasReady()) return;
    const { ready, messages } = node.processReady();
    this.checkers.onReady(node, ready);
    this.#send(node, messages);
  }

  #persistSome(node: TestNode): void {
    const count = this.random.below(node.inFlight.length + 1);
    for (let i = 0; i < count; i++) this.#persist(node);
  }

  #persist(node: TestNode): void {
    if (node.inFlight.length > 0) this.#send(node, node.persist());
  }

  #send(node: TestNode, messages: readonly Message[]): void {
    for (const message of messages) this.checkers.onSend(node, message);
    this.#network.push(...messages);
    // Old messages get lost in the end, so that a bad stretch does not bury the new ones.
    if (this.#network.length > 300) this.#network.splice(0, this.#network.length - 300);
  }

  #propose(node: TestNode): boolean {
    const proposals = Array.from({ length: 1 + this.random.below(3) }, () => ({
      kind: EntryKind.write,
      data: new Uint8Array(Uint32Array.of((this.#nextProposal += 1)).buffer),
    }));
    return node.raft.propose(proposals).kind === 'accepted';
  }

  #tick(node: TestNode): void {
    if (node.id !== this.#slowClock || this.random.chance(0.1)) node.raft.tick();
  }

  /** There may be two, of whom one does not know it yet. */
  #someLeader(): TestNode | undefined {
    const leaders = this.nodes.filter(({ raft }) => raft.role === 'leader');
    return leaders.length === 0 ? undefined : this.random.pick(leaders);
  }

  #read(node: TestNode): void {
    this.#nextToken += 1;
    this.checkers.onRead(this.#nextToken);
    node.raft.readIndex(this.#nextToken);
  }

  #forget(node: TestNode): void {
    node.flush();
    const { raft } = node;
    raft.releaseMemory(raft.appliedIndex - this.random.below(5));
    // No further than what every voter has, and the learner, whom no snapshot could help yet.
    const held = Math.min(...this.nodes.map(({ disk }) => disk.lastIndex));
    const isSame = this.nodes.every(({ disk }) => disk.termAt(held) === raft.termAt(held));
    if (isSame && this.random.chance(0.5)) node.compact(Math.min(held, raft.releasableIndex));
  }

  #partition(): void {
    for (const { id } of this.nodes) this.#sides.set(id, this.random.below(2));
  }

  #restart(node: TestNode): void {
    const kept = this.random.below(node.inFlight.length + 1);
    node.restart(kept);
    this.checkers.onRestart(node);
  }

  /** With a good network and power that stays, a proposal is applied everywhere soon. */
  settle(): void {
    this.#sides.clear();
    let target: number | undefined;
    for (let round = 0; round < 400; round++) {
      for (const node of this.nodes) {
        node.raft.tick();
        if (target === undefined && this.#propose(node)) target = node.raft.lastIndex;
      }
      this.#exchange();
      const isEverywhere = this.nodes.every(
        ({ raft }) => raft.appliedIndex >= (target ?? Infinity),
      );
      if (isEverywhere) return;
      // A leader may have been replaced right after it took the proposal.
      if (round % 60 === 59) target = undefined;
    }
    throw new Error('a healthy cluster makes no progress');
  }

  #exchange(): void {
    for (let pass = 0; pass < 40; pass++) {
      for (const node of this.nodes) {
        while (node.fetches.length > 0) node.serveFetch(1000);
        this.#processReady(node);
        while (node.inFlight.length > 0) this.#persist(node);
      }
      const messages = this.#network;
      if (messages.length === 0) return;
      this.#network = [];
      for (const message of messages) this.#deliver(message);
    }
  }
}
