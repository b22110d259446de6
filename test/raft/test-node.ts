import assert from 'node:assert/strict';
import { Raft } from '../../node/raft/raft.ts';
import type {
  Configuration,
  ConfigurationAt,
  Entry,
  Fetch,
  LogIndex,
  LogPosition,
  Message,
  RaftOptions,
  ReadState,
  Ready,
  ReplicaId,
  SnapshotNeeded,
} from '../../node/raft/types.ts';
import { encodeConfiguration, testCodec } from './configurations.ts';
import { Disk } from './disk.ts';

/** Ways in which a host could break the durability rule, planted to see that the checkers notice. */
export type Defect =
  | 'counts-before-sync'
  | 'sends-before-sync'
  | 'forgets-vote'
  | 'applies-early'
  | 'forgets-configurations'
  | 'confirms-snapshots-early'
  | 'installs-without-state';

export interface TestNodeOptions {
  readonly id: ReplicaId;
  /** That of `start`; undefined: the replica is added to a group that it knows nothing of. */
  readonly configuration: Configuration | undefined;
  /** Where the log begins: 0/0, unless something else is said. */
  readonly start?: LogPosition;
  readonly randomBelow: (bound: number) => number;
  readonly limits?: Partial<RaftOptions>;
  readonly defect?: Defect | undefined;
}

/** What a leader's host sends to a follower that its log cannot help. */
export interface Snapshot {
  readonly position: LogPosition;
  readonly configurations: readonly ConfigurationAt[];
  readonly state: string;
}

function isEmptyRound({ hardState, entries, configurations }: Ready): boolean {
  return hardState === undefined && entries.length === 0 && configurations === undefined;
}

/** A host that does nothing by itself: each step of carrying out a Ready is a call of the test. */
export class TestNode {
  readonly id: ReplicaId;
  readonly disk = new Disk();
  readonly #options: TestNodeOptions;
  raft: Raft;
  /** Taken, but not synced; oldest first. */
  inFlight: Ready[] = [];
  fetches: Fetch[] = [];
  snapshots: SnapshotNeeded[] = [];
  /** Applied in this life, in order. */
  applied: Entry[] = [];
  reads: ReadState[] = [];
  /** What the applied entries have come to: here, of all of them, the last few. */
  state = '';
  /** Where applied entries would be after a restart: everything up to here is in tables. */
  flushedIndex: LogIndex;
  #flushedState = '';
  onApply: (entry: Entry) => void = () => {};

  constructor(options: TestNodeOptions) {
    this.id = options.id;
    this.#options = options;
    const { configuration, start = { index: 0, term: 0 } } = options;
    this.disk.start = start;
    this.disk.hardState = { term: start.term, vote: 0, commit: start.index };
    this.flushedIndex = start.index;
    if (configuration !== undefined) {
      this.disk.configurations = [{ ...start, data: encodeConfiguration(configuration) }];
    }
    this.raft = this.#start();
  }

  #start(): Raft {
    const { id, randomBelow, limits } = this.#options;
    return new Raft({
      replicaId: id,
      configurations: this.disk.configurations,
      configurationCodec: testCodec,
      hardState: this.disk.hardState,
      logStart: this.disk.start,
      lastIndex: this.disk.lastIndex,
      terms: this.disk.terms,
      appliedIndex: this.flushedIndex,
      heartbeatTicks: 1,
      electionTicks: 5,
      releaseTicks: 20,
      randomBelow,
      appendBytesMax: 1 << 20,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax: 1 << 20,
      committedBytesMax: 1 << 20,
      ...limits,
    });
  }

  /** This host tells at once what is committed. */
  get hasReady(): boolean {
    this.raft.tellCommit();
    return this.raft.hasReady();
  }

  /** Takes a Ready, applies what it may and returns it with the messages that leave at once. */
  processReady(): { ready: Ready; messages: Message[] } {
    this.raft.tellCommit();
    const ready = this.raft.ready();
    this.inFlight.push(ready);
    this.fetches.push(...ready.fetches);
    this.snapshots.push(...ready.snapshots);
    this.reads.push(...ready.reads);
    this.#apply(ready);
    const messages = [...ready.messages];
    if (this.#options.defect === 'sends-before-sync') messages.push(...ready.messagesAfterPersist);
    if (this.#options.defect === 'counts-before-sync') this.raft.persisted(ready.number);
    messages.push(...this.#persistEmptyRounds());
    return { ready, messages };
  }

  #apply({ committed, fetchCommitted, entries }: Ready): void {
    const fetched = fetchCommitted
      ? this.disk.read(fetchCommitted.firstIndex, fetchCommitted.lastIndex)
      : [];
    if (fetchCommitted) {
      assert.equal(fetched.at(-1)?.index, fetchCommitted.lastIndex, 'the range is durable');
    }
    const toApply = [...fetched, ...committed];
    for (const entry of toApply) {
      this.applied.push(entry);
      this.state = `${this.state} ${entry.data}`.slice(-100);
      this.onApply(entry);
    }
    const last = toApply.at(-1);
    if (last !== undefined) this.raft.applied(last.index);
    if (this.#options.defect !== 'applies-early') return;
    for (const entry of entries) this.onApply(entry);
  }

  /** Syncs the oldest round in flight. Returns the messages that leave now. */
  persist(): Message[] {
    return [...this.#persistOldest(), ...this.#persistEmptyRounds()];
  }

  /** A Ready with nothing to write waits for those before it only. */
  #persistEmptyRounds(): Message[] {
    const messages: Message[] = [];
    for (let first = this.inFlight[0]; first && isEmptyRound(first); first = this.inFlight[0]) {
      messages.push(...this.#persistOldest());
    }
    return messages;
  }

  #persistOldest(): Message[] {
    const ready = this.inFlight.shift();
    assert(ready !== undefined, 'a Ready is in flight');
    this.#sync(ready);
    if (this.#options.defect !== 'counts-before-sync') this.raft.persisted(ready.number);
    return this.#options.defect === 'sends-before-sync' ? [] : [...ready.messagesAfterPersist];
  }

  #sync({ hardState, entries, configurations }: Ready): void {
    const { defect } = this.#options;
    const forgetsVote = defect === 'forgets-vote' && hardState !== undefined;
    this.disk.sync({
      hardState: forgetsVote ? { ...hardState, vote: 0 } : hardState,
      entries,
      configurations: defect === 'forgets-configurations' ? undefined : configurations,
    });
  }

  /** Answers the oldest fetch, with `entriesMax` entries at most. */
  serveFetch(entriesMax: number): Fetch | undefined {
    const fetch = this.fetches.shift();
    if (fetch === undefined) return undefined;
    const lastIndex = Math.min(fetch.lastIndex, fetch.firstIndex + entriesMax - 1);
    this.raft.fetched(fetch, this.disk.read(fetch.firstIndex, lastIndex));
    return fetch;
  }

  /** The state as of now, for the follower that has needed one for longest. */
  takeSnapshot(): { needed: SnapshotNeeded; snapshot: Snapshot } | undefined {
    const needed = this.snapshots.shift();
    if (needed === undefined) return undefined;
    const { appliedIndex: index, configurations } = this.raft;
    const position = { index, term: this.raft.termAt(index) ?? 0 };
    const inEffect = configurations.filter((each) => each.index <= index).slice(-1);
    this.raft.pinSnapshot(needed.to, index);
    if (this.#options.defect === 'confirms-snapshots-early') {
      this.raft.snapshotFinished(needed.to, needed.term, index);
    }
    return { needed, snapshot: { position, configurations: inEffect, state: this.state } };
  }

  /**
   * Installs a snapshot, in one step of its disk, if it is of use. Returns the index up to which this replica now
   * has everything durably; undefined: it cannot say so. No Ready must be in flight.
   */
  install({ position, configurations, state }: Snapshot): LogIndex | undefined {
    const { index } = position;
    if (!this.raft.needsSnapshot(position)) {
      return this.raft.status().stableIndex >= index ? index : undefined;
    }
    if (this.raft.role === 'leader') return undefined;
    this.disk.restore(position, configurations);
    this.state = this.#options.defect === 'installs-without-state' ? this.state : state;
    this.flush(index);
    this.raft.restore(position, configurations);
    return index;
  }

  /** Up to here, what is applied survives a restart and may leave the log. */
  flush(index: LogIndex = this.raft.appliedIndex): void {
    this.flushedIndex = index;
    this.#flushedState = this.state;
  }

  compact(index: LogIndex): void {
    const clamped = Math.min(index, this.flushedIndex);
    if (clamped <= this.disk.start.index) return;
    this.raft.compact(clamped);
    this.disk.compact(clamped);
  }

  /** Power cut and restart. The first `roundsKept` rounds in flight reached the disk, the others did not. */
  restart(roundsKept = 0): void {
    for (const ready of this.inFlight.slice(0, roundsKept)) this.#sync(ready);
    this.inFlight = [];
    this.fetches = [];
    this.snapshots = [];
    this.reads = [];
    this.applied = [];
    this.state = this.#flushedState;
    this.raft = this.#start();
  }
}
