/** The log as its users see it. Format and recovery rules: `lsm/FORMAT.md#log`; reasons: DESIGN §5. */

/** One Raft log entry. `kind` is the first byte of its header, repeated so that nobody need parse `data`. */
export interface LogEntry {
  readonly term: number;
  readonly index: number;
  readonly kind: number;
  readonly data: Uint8Array;
}

/** What a Raft replica must never forget. `vote` is a replica id, 0 for none. */
export interface HardState {
  readonly term: number;
  readonly vote: number;
  readonly commit: number;
}

/** What the log knows of a local replica beside its entries; every segment opens with a copy. */
export interface GroupState {
  readonly group: number;
  readonly replicaId: number;
  readonly hardState: HardState;
  /** Opaque to the log: the group's configuration as its host encodes it. */
  readonly configuration: Uint8Array;
  /** The log holds entries after this position; up to it they are flushed and may be gone. */
  readonly logStart: { readonly index: number; readonly term: number };
}

/** A replica as found at start. */
export interface RecoveredGroup extends GroupState {
  readonly lastIndex: number;
  /** Runs of equal terms: the entries from `firstIndex` on, up to the next run, carry `term`. */
  readonly terms: readonly { readonly firstIndex: number; readonly term: number }[];
  /** Set when damage may have taken something of this group: it must not vote, acknowledge or serve. */
  readonly suspect?: string;
}

/** A damaged place. A torn tail is not damage: it was never declared synced. */
export interface LogDamage {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  /** The groups that it makes suspect. */
  readonly groups: readonly number[];
}

export interface LogStatistics {
  readonly rounds: number;
  readonly syncs: number;
  readonly bytesWritten: number;
  readonly segments: number;
  readonly bytesOnDisk: number;
}
