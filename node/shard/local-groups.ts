import assert from 'node:assert/strict';
import type { ReplicaId } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** A replica that may have lost something: it neither votes, acknowledges nor serves (DESIGN §5 ▣). */
export interface SuspectReplica {
  readonly group: number;
  readonly replicaId: ReplicaId;
  /** As of a replica. */
  readonly displaces: ReplicaId;
  readonly reason: string;
}

/** The memory of a replica that is gone. */
export interface RemovedReplica {
  readonly group: number;
  /** The highest that was here. */
  readonly replicaId: ReplicaId;
  /** As of a replica. */
  readonly displaces: ReplicaId;
}

/** What the log and the engine tell of the groups on this node. */
export interface RecoveredReplicas {
  readonly replicas: readonly Replica[];
  readonly suspects: readonly SuspectReplica[];
  readonly removed: readonly RemovedReplica[];
}

/**
 * What this node holds of each group: a replica, one that it cannot trust, or the memory of one that is gone. A
 * replica id that was ever here is never begun anew: it would have forgotten what it promised.
 */
export class LocalGroups {
  readonly #replicas = new Map<number, Replica>();
  readonly #suspects = new Map<number, SuspectReplica>();
  readonly #removed = new Map<number, RemovedReplica>();

  constructor(initial: RecoveredReplicas) {
    for (const replica of initial.replicas) this.#replicas.set(replica.identity.group, replica);
    for (const suspect of initial.suspects) this.#suspects.set(suspect.group, suspect);
    for (const removed of initial.removed) this.#removed.set(removed.group, removed);
  }

  get(group: number): Replica | undefined {
    return this.#replicas.get(group);
  }

  replicas(): IterableIterator<Replica> {
    return this.#replicas.values();
  }

  suspectOf(group: number): SuspectReplica | undefined {
    return this.#suspects.get(group);
  }

  suspects(): SuspectReplica[] {
    return [...this.#suspects.values()];
  }

  /** And those that have given their place to another replica, as long as their groups may count on them. */
  lost(): { readonly group: number; readonly replicaId: ReplicaId }[] {
    const groups = new Set(
      [this.#replicas, this.#suspects, this.#removed].flatMap((each) => [...each.keys()]),
    );
    const displaced = [...groups]
      .map((group) => ({ group, replicaId: this.displacedIn(group) }))
      .filter(({ replicaId }) => replicaId > 0);
    return [...this.#suspects.values(), ...displaced];
  }

  /** What a replica displaces that takes the place of what is here now; 0: nothing that its group may count on. */
  placeTakenIn(group: number): ReplicaId {
    return this.displacedIn(group) || (this.#suspects.get(group)?.replicaId ?? 0);
  }

  displacedIn(group: number): ReplicaId {
    const { displaces = 0 } =
      this.#replicas.get(group) ?? this.#suspects.get(group) ?? this.#removed.get(group) ?? {};
    return displaces;
  }

  /** The group counts on what was displaced no more. */
  forgetDisplaced(group: number): void {
    const replica = this.#replicas.get(group);
    if (replica !== undefined) replica.displaces = 0;
    for (const memory of [this.#suspects, this.#removed] as Map<number, RemovedReplica>[]) {
      const known = memory.get(group);
      if (known !== undefined) memory.set(group, { ...known, displaces: 0 });
    }
  }

  /** Whether a replica of this id would be a new one. */
  isNew(group: number, replicaId: ReplicaId): boolean {
    const here = this.#replicas.get(group)?.identity.replicaId ?? 0;
    const suspect = this.#suspects.get(group)?.replicaId ?? 0;
    return replicaId > Math.max(here, suspect, this.#removed.get(group)?.replicaId ?? 0);
  }

  /** Takes the place of whatever is remembered of the group. */
  add(replica: Replica): void {
    const { group, replicaId } = replica.identity;
    assert(this.isNew(group, replicaId), 'a replica id is used once');
    this.#suspects.delete(group);
    this.#removed.delete(group);
    this.#replicas.set(group, replica);
  }

  suspect(suspect: SuspectReplica): void {
    this.#replicas.delete(suspect.group);
    this.#suspects.set(suspect.group, suspect);
  }

  remove(removed: RemovedReplica): void {
    const { group } = removed;
    this.#replicas.delete(group);
    this.#suspects.delete(group);
    this.#removed.set(group, removed);
  }
}
