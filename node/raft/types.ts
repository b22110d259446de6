/**
 * The vocabulary of the Raft core: what goes in (`Message`, ticks, proposals) and what comes out (`Ready`).
 * The core is a pure state machine in the manner of etcd/raft: same state and same input, same output. It
 * does no I/O and knows no clock; its host persists, sends and applies (node/raft/README.md).
 */

export type Term = number;
export type LogIndex = number;
/** Names one replica of one group for ever; a node that is added again gets a new one (DESIGN §5). 0: none. */
export type ReplicaId = number;

export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

/** From `firstIndex` on, up to the next run, entries carry `term`. */
export interface TermRun {
  readonly firstIndex: LogIndex;
  readonly term: Term;
}

/** Only `configuration` means something to the core; all other kinds are the host's. */
export const EntryKind = {
  empty: 0,
  write: 1,
  configuration: 2,
  /** `RulesRecord`, `WatermarkRecord`, `SettingsRecord` and `ChecksumRecord` of kv.proto. */
  rules: 3,
  watermark: 4,
  settings: 5,
  checksum: 6,
} as const;

export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly kind: number;
  readonly data: Uint8Array;
}

/**
 * Must be durable before anything that depends on it counts. `commit` is a hint that speeds up restarts: a new
 * value travels with the next entries, term or vote, and never causes a round of its own.
 */
export interface HardState {
  readonly term: Term;
  readonly vote: ReplicaId;
  readonly commit: LogIndex;
}

/** Who decides. `outgoing` is the old majority during joint consensus, `learners` count for nothing. */
export interface Configuration {
  readonly voters: readonly ReplicaId[];
  readonly outgoing: readonly ReplicaId[];
  readonly learners: readonly ReplicaId[];
}

/** The data of a configuration entry, and its place in the log. */
export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly term: Term;
  readonly data: Uint8Array;
}

/** What the core needs to know of the data of a configuration entry. Pure functions of the host. */
export interface ConfigurationCodec {
  /** Gets only what some replica has proposed; must understand all of it. */
  read(data: Uint8Array): Configuration;
  /** From the data of a joint configuration that of the simple one which follows: without `outgoing`. */
  leaveJoint(data: Uint8Array): Uint8Array;
}

interface Envelope {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: Term;
}

/** Messages between replicas of a group. */
export type Message =
  | (Envelope & {
      readonly kind: 'pre-vote-request';
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
    })
  | (Envelope & {
      readonly kind: 'vote-request';
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
      /** The leader itself wants this election, so that those who hear it vote, too (dissertation §3.10). */
      readonly transfer: boolean;
    })
  | (Envelope & {
      readonly kind: 'pre-vote-response' | 'vote-response';
      readonly reject: boolean;
    })
  | (Envelope & {
      readonly kind: 'append-request';
      readonly previousIndex: LogIndex;
      readonly previousTerm: Term;
      readonly entries: readonly Entry[];
      readonly commit: LogIndex;
      /** Nobody who answers, and no snapshot on its way, needs the log up to here (`Raft.releasableIndex`). */
      readonly releasedIndex: LogIndex;
    })
  | (Envelope & {
      readonly kind: 'append-response';
      readonly reject: boolean;
      /** Accepted: the last index that now matches and is durable. Rejected: the refused `previousIndex`. */
      readonly index: LogIndex;
      /** Rejected: where the follower's log may agree with the leader's (its index and term there). */
      readonly hintIndex: LogIndex;
      readonly hintTerm: Term;
    })
  | (Envelope & {
      readonly kind: 'heartbeat-request';
      readonly commit: LogIndex;
      readonly releasedIndex: LogIndex;
      /** The newest read round; comes back in the response (ReadIndex, Raft dissertation §6.4). */
      readonly context: number;
    })
  | (Envelope & { readonly kind: 'heartbeat-response'; readonly context: number })
  /** From a follower that wants to read: the leader answers with a safe index. */
  | (Envelope & { readonly kind: 'read-index-request'; readonly context: number })
  | (Envelope & {
      readonly kind: 'read-index-response';
      readonly context: number;
      readonly index: LogIndex;
      readonly reject: boolean;
    })
  /** From the leader to the voter that is to replace it: campaign now. */
  | (Envelope & { readonly kind: 'timeout-now' });

/** A read that may be served once `index` is applied; `undefined` index: refused, ask again elsewhere. */
export interface ReadState {
  /** What the host gave to `readIndex`. */
  readonly token: number;
  readonly index: LogIndex | undefined;
}

/**
 * What the host must do now. Its order of effects is the durability rule (DESIGN §5):
 * 1. `messages` may leave at once: nothing in them depends on what is not yet durable here.
 * 2. `hardState`, `entries` and `configurations` go into the log's next round, all into the same. Entries
 *    replace any with the same or a higher index that were there before.
 * 3. When that round is synced, and not earlier: `messagesAfterPersist` leave, and the host calls
 *    `persisted(number)`. Readies are persisted in the order of their numbers, each of them: one that has
 *    nothing for the log needs no round of its own and is persisted as soon as those before it are.
 * 4. `committed` entries are applied in order; they are already durable here. Then the host calls `applied`.
 *    The next ones are handed out when these are applied, so a host that applies slowly is not flooded.
 */
export interface Ready {
  readonly number: number;
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  /**
   * Set when it is not what the last Ready said: the configurations of the log with these entries, ascending, and
   * before them the one in effect at its start. They replace those of before, and come back as
   * `RaftOptions.configurations` after a restart. (After `compact` the older ones may be dropped, or not.)
   */
  readonly configurations: readonly ConfigurationAt[] | undefined;
  readonly messages: readonly Message[];
  readonly messagesAfterPersist: readonly Message[];
  readonly committed: readonly Entry[];
  /**
   * Committed and durable here, but no longer (or, after a restart, not yet) in memory: the host reads these
   * entries from its log, applies them in order and calls `applied`, in steps if it likes. At most one such
   * range is outstanding, and `committed` stays empty until its last entry is applied.
   */
  readonly fetchCommitted: IndexRange | undefined;
  readonly reads: readonly ReadState[];
  /** Entries that a follower needs and that are no longer in memory; each is answered with `fetched`. */
  readonly fetches: readonly Fetch[];
  /** Followers that need what is before the start of this log, each named once: see `snapshotFinished`. */
  readonly snapshots: readonly SnapshotNeeded[];
  readonly events: readonly RaftEvent[];
}

/** Both ends included. */
export interface IndexRange {
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
}

export interface Fetch {
  readonly to: ReplicaId;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** The leader's term when it asked; `fetched` with another term is ignored. */
  readonly term: Term;
}

/** Only the whole state can help this follower; entries are not sent to it until that has ended. */
export interface SnapshotNeeded {
  readonly to: ReplicaId;
  /** The leader's term when it found out; `snapshotFinished` with another term is ignored. */
  readonly term: Term;
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export type RaftEvent =
  | { readonly kind: 'role-changed'; readonly role: Role; readonly term: Term }
  | { readonly kind: 'leader-changed'; readonly leader: ReplicaId; readonly term: Term };

/** What the host brings to `propose`; the core gives it a term and an index. */
export interface Proposal {
  readonly kind: number;
  readonly data: Uint8Array;
}

export type ProposeResult =
  | { readonly kind: 'accepted'; readonly firstIndex: LogIndex; readonly term: Term }
  | { readonly kind: 'not-leader'; readonly leader: ReplicaId }
  /** The uncommitted tail has reached `uncommittedBytesMax`, or leadership is being handed over. */
  | { readonly kind: 'busy' };

/** `refused`: not this change, or not now; the reason is for people. */
export type ProposeConfigurationResult =
  | ProposeResult
  | { readonly kind: 'refused'; readonly reason: string };

export interface RaftOptions {
  readonly replicaId: ReplicaId;
  /**
   * As the newest persisted Ready gave them: ascending, the first at or before `logStart`. None for a replica
   * that was just added and has heard nothing yet: it is a member of nothing, never campaigns, counts nobody.
   */
  readonly configurations: readonly ConfigurationAt[];
  readonly configurationCodec: ConfigurationCodec;
  readonly hardState: HardState;
  /** Entries up to here are applied and may be gone from the log. */
  readonly logStart: LogPosition;
  /** The durable log after `logStart`, as runs of equal terms; their bytes are fetched when needed. */
  readonly lastIndex: LogIndex;
  readonly terms: readonly TermRun[];
  /** Applied so far; at or after `logStart`. */
  readonly appliedIndex: LogIndex;
  readonly heartbeatTicks: number;
  /** An election starts after [electionTicks, 2 × electionTicks) ticks without a leader. */
  readonly electionTicks: number;
  /** A member that has been silent for so many ticks no longer holds back `releasableIndex`. */
  readonly releaseTicks: number;
  readonly randomBelow: (bound: number) => number;
  /** One append-request carries at most this many bytes of entries, but always at least one entry. */
  readonly appendBytesMax: number;
  /** Unacknowledged bytes of appends to one follower; every window admits one entry, however large. */
  readonly inflightBytesMax: number;
  readonly uncommittedBytesMax: number;
  /** One Ready hands out at most this many bytes of committed entries, but always at least one. */
  readonly committedBytesMax: number;
}

/** One follower as its leader sees it. `match` is durable there; `next` is what it will be sent next. */
export interface ReplicaProgress {
  readonly replica: ReplicaId;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  readonly learner: boolean;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly inflightBytes: number;
  /** Nothing more is sent until it answers, room is made, entries are fetched or its snapshot has ended. */
  readonly paused: boolean;
  /** Heard from since the leader last checked its quorum. */
  readonly active: boolean;
  /** Since it was last heard from. */
  readonly silentTicks: number;
}

export interface RaftStatus {
  readonly replicaId: ReplicaId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: ReplicaId;
  readonly leader: ReplicaId;
  readonly logStart: LogPosition;
  readonly appliedIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly stableIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly releasableIndex: LogIndex;
  readonly uncommittedBytes: number;
  /** On a leader that hands over: to whom. 0: it does not. */
  readonly transferee: ReplicaId;
  /** On a leader: one for each replica of the configuration, and for itself. Elsewhere empty. */
  readonly progress: readonly ReplicaProgress[];
}
