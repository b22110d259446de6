import type { Clock } from '../env.ts';

/**
 * `replica-suspect`: a replica on this node cannot be trusted. `replica-differs`: one of a group that this node leads
 * holds something else than the others. `table-damaged`: a table is, and this node has the only copy of what it held.
 * `copy-forced`: by an order of a person a group goes on with what this node holds. `values-given-up`: and without what its tables had lost.
 */
export type IncidentKind =
  | 'replica-suspect'
  | 'replica-differs'
  | 'table-damaged'
  | 'copy-forced'
  | 'values-given-up';

/** Something that went wrong with a replica, and what became of it. Times are wall clock, milliseconds since 1970. */
export interface Incident {
  readonly kind: IncidentKind;
  readonly group: number;
  /** 0: it is not about one of them. */
  readonly replicaId: number;
  /** Part of a sentence for people. */
  readonly reason: string;
  readonly detectedAtMs: number;
  /** When its group began to replace it. */
  readonly decidedAtMs?: number;
  /** When it was whole again. */
  readonly repairedAtMs?: number;
}

const INCIDENTS_MAX = 200;

/** The last incidents of this node, oldest first. */
export class Incidents {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #incidents: Incident[] = [];
  readonly #counts = new Map<IncidentKind, number>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  list(): readonly Incident[] {
    return this.#incidents;
  }

  /** Since the start, of those too that are not among the last any more. */
  get counts(): ReadonlyMap<IncidentKind, number> {
    return this.#counts;
  }

  /** For people and their tools, beside other events; `name` is that of this node. */
  documents(name: string) {
    return this.#incidents.map(({ replicaId, reason: why, ...incident }) => ({
      ...incident,
      atMs: incident.detectedAtMs,
      node: name,
      message: `group ${incident.group}: ${SENTENCES[incident.kind](name, replicaId)}: ${why}`,
      reason: 'repair',
    }));
  }

  /** One that is known already and not repaired is not told again. */
  incident(kind: IncidentKind, group: number, replicaId: number, reason: string): void {
    const isKnown = this.#incidents.some(
      (each) => isOpen(each, kind, group) && each.replicaId === replicaId,
    );
    if (isKnown) return;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    const detectedAtMs = this.#clock.nowMs();
    this.#incidents.push({ kind, group, replicaId, reason, detectedAtMs });
    if (this.#incidents.length > INCIDENTS_MAX) this.#incidents.shift();
  }

  /** The group has begun to replace what is wrong. */
  decided(kind: IncidentKind, group: number): void {
    const decidedAtMs = this.#clock.nowMs();
    this.#incidents = this.#incidents.map((each) =>
      isOpen(each, kind, group) && each.decidedAtMs === undefined ? { ...each, decidedAtMs } : each,
    );
  }

  /** Everything of this kind in this group is well again. */
  resolved(kind: IncidentKind, group: number): void {
    const repairedAtMs = this.#clock.nowMs();
    this.#incidents = this.#incidents.map((each) =>
      isOpen(each, kind, group) ? { ...each, repairedAtMs } : each,
    );
  }
}

const SENTENCES: Readonly<Record<IncidentKind, (name: string, replicaId: number) => string>> = {
  'replica-suspect': (name) => `the replica on ${name} cannot be trusted`,
  'replica-differs': (name, id) => `${name}, which leads it, found that replica ${id} differs`,
  'copy-forced': (name) => `it goes on with the copy on ${name} alone`,
  'values-given-up': (name) => `${name} has given up values that it had lost`,
  'table-damaged': (name) => `${name} has lost values, and the group cannot do without it now`,
};

function isOpen(incident: Incident, kind: IncidentKind, group: number): boolean {
  return incident.kind === kind && incident.group === group && incident.repairedAtMs === undefined;
}
