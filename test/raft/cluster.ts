import { EntryKind, type Message, type ReplicaId } from '../../node/raft/types.ts';
import { SeededRandom } from '../support/random.ts';
import { Checkers } from './checkers.ts';
import { decodeConfiguration, encodeConfiguration } from './configurations.ts';
import { randomChange } from './random-change.ts';
import { SnapshotTraffic } from './snapshot-traffic.ts';
import { type Defect, TestNode, type TestNodeOptions } from './test-node.ts';

export interface ClusterOptions {
  readonly seed: number;
  readonly defect?: Defect | undefined;
}

/**
 * Some nodes and a network, where anything may happen next that a bad network and bad power allow: messages are
 * lost, doubled and overtaken, disks are slow, nodes lose what they have not synced, and meanwhile replicas come
 * and go. One seed, one history.
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
  readonly #changeRate: number;
  readonly #snapshots: SnapshotTraffic;
  readonly #common: Pick<TestNodeOptions, 'randomBelow' | 'limits' | 'defect'>;
  #nextReplicaId: ReplicaId;
  #nextProposal = 0;
  #nextToken = 0;

  constructor({ seed, defect }: ClusterOptions) {
    this.random = new SeededRandom(seed);
    this.#restartRate = this.random.pick([0, 0.01, 0.01, 0.05]);
    this.#partitionRate = this.random.pick([0, 0.003, 0.01]);
    this.#changeRate = this.random.pick([0, 0.05, 0.15]);
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
      releaseTicks: this.random.pick([1, 5, 20]),
    };
    this.#common = { randomBelow: (bound) => this.random.below(bound), limits, defect };
    // The group as it was created counts as its first entry, which newcomers do not have.
    const start = { index: 1, term: 1 };
    this.nodes = ids.map((id) => new TestNode({ ...this.#common, id, configuration, start }));
    this.#nextReplicaId = ids.length + 1;
    this.checkers = new Checkers(this.nodes);
    this.#snapshots = new SnapshotTraffic(this.random, (id) => this.#nodeOf(id));
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
    if (this.random.chance(this.#changeRate)) this.#change();
    if (this.random.chance(0.004)) this.#transfer(this.#someLeader() ?? node);
    if (this.random.chance(0.02)) this.#bury();
    if (this.random.chance(0.05)) this.#ship(node);
    const dice = this.random.below(1000);
    if (dice < 350) this.#deliverSome();
    else if (dice < 600) this.#processReady(this.#some(({ hasReady }) => hasReady) ?? node);
    else if (dice < 800) this.#persistSome(this.#some((each) => each.inFlight.length > 0) ?? node);
    else if (dice < 850) this.#tick(node);
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
      if (this.random.chance(0.95)) this.#network.splice(at, 1);
      if (this.random.chance(0.95)) this.#deliver(message);
    }
  }

  #deliver(message: Message): void {
    if (this.#sideOf(message.from) !== this.#sideOf(message.to)) return;
    const node = this.#nodeOf(message.to);
    if (node === undefined) return;
    node.raft.step(message);
    this.checkers.check(node);
  }

  #nodeOf(id: ReplicaId): TestNode | undefined {
    return this.nodes.find((node) => node.id === id);
  }

  #sideOf(id: ReplicaId): number {
    return this.#sides.get(id) ?? 0;
  }

  #processReady(node: TestNode): void {
    if (!node.hasReady) return;
    const { ready, messages } = node.processReady();
    this.checkers.onReady(node, ready);
    this.#send(node, messages);
  }

  #persistSome(node: TestNode): void {
    const count = this.random.below(node.inFlight.length + 1);
    for (let i = 0; i < count; i++) this.#persist(node);
  }

  #persist(node: TestNode): void {
    if (node.inFlight.length === 0) return;
    const messages = node.persist();
    this.checkers.check(node);
    this.#send(node, messages);
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
    return this.#some(({ raft }) => raft.role === 'leader');
  }

  #some(isMeant: (node: TestNode) => boolean): TestNode | undefined {
    const meant = this.nodes.filter(isMeant);
    return meant.length === 0 ? undefined : this.random.pick(meant);
  }

  #read(node: TestNode): void {
    this.#nextToken += 1;
    this.checkers.onRead(this.#nextToken);
    node.raft.readIndex(this.#nextToken);
  }

  #forget(node: TestNode): void {
    if (this.random.chance(0.5)) node.raft.unloadCommitted(this.random.below(100));
    node.flush();
    const { raft } = node;
    raft.releaseMemory(raft.appliedIndex - this.random.below(5));
    if (this.random.chance(0.4)) node.compact(raft.releasableIndex);
    else if (this.random.chance(0.2)) node.compact(raft.appliedIndex - this.random.below(5));
  }

  /** The replica that is added is there from the beginning: hosts make it when it is first spoken to. */
  #change(): void {
    const node = this.#someLeader();
    if (node === undefined) return;
    const newcomer = this.nodes.length < 8 ? this.#nextReplicaId : undefined;
    const next = randomChange(this.random, node.raft.configuration, newcomer);
    const result = node.raft.proposeConfiguration(encodeConfiguration(next));
    const isNew = newcomer !== undefined && [...next.voters, ...next.learners].includes(newcomer);
    if (result.kind !== 'accepted' || !isNew) return;
    this.#nextReplicaId += 1;
    const added = new TestNode({ ...this.#common, id: newcomer, configuration: undefined });
    this.nodes.push(added);
    this.checkers.onStart(added);
  }

  #transfer(node: TestNode): void {
    node.raft.transferLeadership(this.random.pick(this.nodes).id);
    this.checkers.check(node);
  }

  #ship(node: TestNode): void {
    if (this.random.chance(0.5)) {
      this.#snapshots.begin(this.#some(({ snapshots }) => snapshots.length > 0) ?? node);
      return;
    }
    const installedAt = this.#snapshots.advance();
    if (installedAt !== undefined) this.checkers.onInstalled(installedAt);
    for (const each of this.nodes) this.checkers.check(each);
  }

  /** A replica that nobody in the group has heard of, or not any more, is gone for ever. */
  #bury(): void {
    const known = (node: TestNode) =>
      [...node.raft.configurations, ...node.disk.configurations].flatMap(({ data }) => {
        const { voters, outgoing, learners, demoted } = decodeConfiguration(data);
        return [...voters, ...outgoing, ...learners, ...demoted];
      });
    const newest = Math.max(...this.nodes.map(({ raft }) => raft.configurationIndex));
    const at = this.nodes.findIndex(
      ({ id, raft }) =>
        raft.configurationIndex < newest &&
        this.nodes.every((other) => other.id === id || !known(other).includes(id)),
    );
    if (at >= 0) this.nodes.splice(at, 1);
  }

  #partition(): void {
    for (const { id } of this.nodes) this.#sides.set(id, this.random.below(2));
  }

  #restart(node: TestNode): void {
    const kept = this.random.below(node.inFlight.length + 1);
    node.restart(kept);
    this.checkers.onStart(node);
  }

  /**
   * With a good network and power that stays, a change of voters comes to its end and a proposal is applied by all
   * members soon, whatever those who are none any more try.
   */
  settle(): void {
    this.#sides.clear();
    this.#snapshots.failAll();
    let target: number | undefined;
    for (let round = 0; round < 400; round++) {
      for (const node of this.nodes) {
        node.raft.tick();
        if (target === undefined && this.#propose(node)) target = node.raft.lastIndex;
      }
      this.#exchange();
      if (target !== undefined && this.#isEverywhere(target)) return;
      // A leader may have been replaced right after it took the proposal.
      if (round % 60 === 59) target = undefined;
    }
    throw new Error('a healthy cluster makes no progress');
  }

  #isEverywhere(index: number): boolean {
    const leader = this.nodes.find(({ raft }) => raft.role === 'leader' && raft.lastIndex >= index);
    if (leader === undefined || !leader.raft.isConfigurationCommitted) return false;
    const { voters, outgoing, learners } = leader.raft.configuration;
    const isApplied = (id: ReplicaId) => (this.#nodeOf(id)?.raft.appliedIndex ?? 0) >= index;
    return outgoing.length === 0 && [...voters, ...learners].every(isApplied);
  }

  /** The receiver has nothing in flight: see `#exchange`. */
  #shipNow(node: TestNode): void {
    const taken = node.takeSnapshot();
    if (taken === undefined) return;
    const { needed, snapshot } = taken;
    const receiver = this.#nodeOf(needed.to);
    while (receiver && receiver.inFlight.length > 0) this.#persist(receiver);
    const before = receiver?.raft.logStart;
    const index = receiver?.install(snapshot);
    if (receiver && receiver.raft.logStart !== before) this.checkers.onInstalled(receiver);
    node.raft.snapshotFinished(needed.to, needed.term, index);
  }

  #exchange(): void {
    for (let pass = 0; pass < 40; pass++) {
      for (const node of this.nodes) {
        while (node.fetches.length > 0) node.serveFetch(1000);
        while (node.snapshots.length > 0) this.#shipNow(node);
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
