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
  /** `RulesRecord`, `WatermarkRecord` and `SettingsRecord` of kv.proto. */
  rules: 3,
  watermark: 4,
  settings: 5,
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

interface Envelope {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: Term;
}

/** Messages between replicas of a group. */
export type Message =
  | (Envelope & {
      readonly kind: 'pre-vote-request' | 'vote-request';
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
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
      /** Every voter's log holds the entries up to here durably: no voter will ask for them again. */
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
    });

/** A read that may be served once `index` is applied; `undefined` index: refused, ask again elsewhere. */
export interface ReadState {
  /** What the host gave to `readIndex`. */
  readonly token: number;
  readonly index: LogIndex | undefined;
}

/**
 * What the host must do now. Its order of effects is the durability rule (DESIGN §5):
 * 1. `messages` may leave at once: nothing in them depends on what is not yet durable here.
 * 2. `hardState` and `entries` go into the log's next round. Entries replace any with the same or a higher
 *    index that were there before.
 * 3. When that round is synced, and not earlier: `messagesAfterPersist` leave, and the host calls
 *    `persisted(number)`. Readies are persisted in the order of their numbers, each of them: one without hard
 *    state and entries needs no round of its own and is persisted as soon as those before it are.
 * 4. `committed` entries are applied in order; they are already durable here. Then the host calls `applied`.
 *    The next ones are handed out when these are applied, so a host that applies slowly is not flooded.
 */
export interface Ready {
  readonly number: number;
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
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
  /** The uncommitted tail has reached `uncommittedBytesMax`. */
  | { readonly kind: 'busy' };

export interface RaftOptions {
  readonly replicaId: ReplicaId;
  readonly configuration: Configuration;
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
  readonly state: 'probe' | 'replicate';
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly inflightBytes: number;
  /** Nothing more is sent until it answers, room is made, or entries are fetched. */
  readonly paused: boolean;
  /** Heard from since the leader last checked its quorum. */
  readonly active: boolean;
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
  /** On a leader: one for each replica of the configuration, itself included. Elsewhere empty. */
  readonly progress: readonly ReplicaProgress[];
}
