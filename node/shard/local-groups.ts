import assert from 'node:assert/strict';
import type { ReplicaId } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** A replica that may have lost something: it neither votes, acknowledges nor serves (DESIGN §5 ▣). */
export interface SuspectReplica {
  readonly group: number;
  readonly replicaId: ReplicaId;
  readonly reason: string;
}

/** What the log and the engine tell of the groups on this node. */
export interface RecoveredReplicas {
  readonly replicas: readonly Replica[];
  readonly suspects: readonly SuspectReplica[];
  /** The highest id of each group whose replica is gone from here. */
  readonly removed: ReadonlyMap<number, ReplicaId>;
  /** Groups whose replica is gone from here, but not all that it stored. */
  readonly leftovers: readonly number[];
}

/**
 * What this node holds of each group: a replica, one that it cannot trust, or the memory of one that is gone. A
 * replica id that was ever here is never begun anew: it would have forgotten what it promised.
 */
export class LocalGroups {
  readonly #replicas = new Map<number, Replica>();
  readonly #suspects = new Map<number, SuspectReplica>();
  readonly #removed = new Map<number, ReplicaId>();
  /** Gone from here for another one, which their groups may not have agreed to yet. */
  readonly #displaced = new Map<number, SuspectReplica>();

  constructor(initial: RecoveredReplicas) {
    for (const replica of initial.replicas) this.#replicas.set(replica.identity.group, replica);
    for (const suspect of initial.suspects) this.#suspects.set(suspect.group, suspect);
    for (const [group, replicaId] of initial.removed) this.#removed.set(group, replicaId);
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

  /** All that the groups are not to count on, whether another replica has their place here or not. */
  lost(): SuspectReplica[] {
    return [...this.#suspects.values(), ...this.#displaced.values()];
  }

  displacedOf(group: number): SuspectReplica | undefined {
    return this.#displaced.get(group);
  }

  displaced(suspect: SuspectReplica): void {
    this.#displaced.set(suspect.group, suspect);
  }

  forgetDisplaced(group: number): void {
    this.#displaced.delete(group);
  }

  /** Whether a replica of this id would be a new one. */
  isNew(group: number, replicaId: ReplicaId): boolean {
    const here = this.#replicas.get(group)?.identity.replicaId ?? 0;
    const suspect = this.#suspects.get(group)?.replicaId ?? 0;
    return replicaId > Math.max(here, suspect, this.#removed.get(group) ?? 0);
  }

  /** Takes the place of whatever was here of the group. */
  add(replica: Replica): void {
    const { group, replicaId } = replica.identity;
    assert(this.isNew(group, replicaId), 'a replica id is used once');
    const suspect = this.#suspects.get(group);
    if (suspect !== undefined) this.#displaced.set(group, suspect);
    this.#suspects.delete(group);
    this.#removed.delete(group);
    this.#replicas.set(group, replica);
  }

  suspect(suspect: SuspectReplica): void {
    this.#replicas.delete(suspect.group);
    this.#suspects.set(suspect.group, suspect);
  }

  remove(group: number, replicaId: ReplicaId): void {
    this.#replicas.delete(group);
    this.#suspects.delete(group);
    this.#removed.set(group, Math.max(replicaId, this.#removed.get(group) ?? 0));
  }
}
