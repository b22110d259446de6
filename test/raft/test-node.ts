import assert from 'node:assert/strict';
import { Raft } from '../../node/raft/raft.ts';
import type {
  Configuration,
  Entry,
  Fetch,
  LogIndex,
  Message,
  RaftOptions,
  ReadState,
  Ready,
  ReplicaId,
} from '../../node/raft/types.ts';
import { encodeConfiguration, testCodec } from './configurations.ts';
import { Disk } from './disk.ts';

/** Ways in which a host could break the durability rule, planted to see that the checkers notice. */
export type Defect = 'counts-before-sync' | 'sends-before-sync' | 'forgets-vote' | 'applies-early';

export interface TestNodeOptions {
  readonly id: ReplicaId;
  readonly configuration: Configuration;
  readonly randomBelow: (bound: number) => number;
  readonly limits?: Partial<RaftOptions>;
  readonly defect?: Defect | undefined;
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
  /** Applied in this life, in order. */
  applied: Entry[] = [];
  reads: ReadState[] = [];
  /** Where applied entries would be after a restart: everything up to here is in tables. */
  flushedIndex: LogIndex = 0;
  onApply: (entry: Entry) => void = () => {};

  constructor(options: TestNodeOptions) {
    this.id = options.id;
    this.#options = options;
    const data = encodeConfiguration(options.configuration);
    this.disk.configurations = [{ index: 0, term: 0, data }];
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

  /** Takes a Ready, applies what it may and returns it with the messages that leave at once. */
  processReady(): { ready: Ready; messages: Message[] } {
    const ready = this.raft.ready();
    this.inFlight.push(ready);
    this.fetches.push(...ready.fetches);
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

  #sync(ready: Ready): void {
    const { hardState } = ready;
    const isForgetful = this.#options.defect === 'forgets-vote' && hardState !== undefined;
    this.disk.sync(isForgetful ? { ...ready, hardState: { ...hardState, vote: 0 } } : ready);
  }

  /** Answers the oldest fetch, with `entriesMax` entries at most. */
  serveFetch(entriesMax: number): Fetch | undefined {
    const fetch = this.fetches.shift();
    if (fetch === undefined) return undefined;
    const lastIndex = Math.min(fetch.lastIndex, fetch.firstIndex + entriesMax - 1);
    this.raft.fetched(fetch, this.disk.read(fetch.firstIndex, lastIndex));
    return fetch;
  }

  /** Up to here, what is applied survives a restart and may leave the log. */
  flush(): void {
    this.flushedIndex = this.raft.appliedIndex;
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
    this.reads = [];
    this.applied = [];
    this.raft = this.#start();
  }
}
