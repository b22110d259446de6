import { overlap } from '../../lsm/bytes.ts';
import type { EngineEvent } from '../../lsm/engine.ts';
import type { Events } from '../env.ts';
import type { Shard } from '../ring/slots.ts';
import type { ShardHost } from '../shard/host.ts';
import { rangeOf } from '../shard/range-changes.ts';
import type { Replica } from '../shard/replica.ts';
import type { Incidents } from './incidents.ts';

export type Corruption = Extract<EngineEvent, { readonly kind: 'corruption' }>;

export interface TableDamageOptions {
  readonly events: Events;
  readonly shards: readonly Shard[];
  readonly host: ShardHost;
  /** Whether the group can do without its replica here, as its leader says. */
  readonly mayLeave: (replica: Replica) => Promise<boolean>;
  /** It may leave. Whether it does. */
  readonly distrust: (replica: Replica, reason: string) => boolean;
  readonly incidents: Incidents;
}

/**
 * What is known of damage in tables, by the groups whose values may be lost here. Their replicas are not trusted any
 * more, so that they are built anew from the others. Where there is no other, what can be read is served, and what
 * cannot stays CORRUPTION.
 */
export class TableDamage {
  readonly #options: TableDamageOptions;
  readonly #reasons = new Map<number, string>();
  readonly #toldOf = new Set<string>();
  /** Groups whose leader is being asked. */
  readonly #asking = new Set<number>();
  #isStarted = false;

  constructor(options: TableDamageOptions) {
    this.#options = options;
  }

  /** From now on it does something about what is found. */
  start(): void {
    this.#isStarted = true;
    this.check();
  }

  stop(): void {
    this.#isStarted = false;
  }

  found({ file, offset, reason, range }: Corruption): void {
    const message = `${file} is damaged at ${offset}: ${reason}`;
    if (!this.#toldOf.has(file)) {
      this.#toldOf.add(file);
      this.#options.events.emit({ level: 'error', name: 'table-damaged', message });
    }
    if (range === undefined) return;
    for (const shard of this.#options.shards) {
      if (!overlap(rangeOf(shard), range) || this.#reasons.has(shard.group)) continue;
      this.#reasons.set(shard.group, `a table is damaged: ${message}`);
    }
    this.check();
  }

  /** It cannot apply an entry for what is lost. */
  halted({ identity, halted }: Replica): void {
    if (!this.#reasons.has(identity.group)) {
      this.#reasons.set(identity.group, `a table is damaged: ${halted}`);
    }
    this.check();
  }

  /** Everything that was here of the group is gone, and with it what was damaged. */
  replaced(group: number): void {
    this.#reasons.delete(group);
    this.#options.incidents.resolved('table-damaged', group);
  }

  /** To be called now and then: a group may have got other replicas by now, or have its others back. */
  check(): void {
    if (!this.#isStarted) return;
    for (const replica of this.#served()) void this.#giveUp(replica);
  }

  async #giveUp(replica: Replica): Promise<void> {
    const { mayLeave, distrust, incidents } = this.#options;
    const { group, replicaId } = replica.identity;
    if (this.#asking.has(group)) return;
    this.#asking.add(group);
    const isSpared = await mayLeave(replica);
    this.#asking.delete(group);
    if (!this.#isStarted || !this.#served().includes(replica)) return;
    const reason = this.#reasons.get(group) as string;
    if (isSpared && distrust(replica, reason)) return;
    incidents.incident('table-damaged', group, replicaId, reason);
  }

  /** Groups that lack some of their values here and have no other replicas to get them from. */
  lacking(): { readonly group: number; readonly reason: string }[] {
    return this.#served().map(({ identity: { group } }) => {
      return { group, reason: this.#reasons.get(group) as string };
    });
  }

  /** Whether there is a replica here that may lack something. */
  get concernsAnybody(): boolean {
    return [...this.#options.host.replicas()].some(({ identity }) =>
      this.#reasons.has(identity.group),
    );
  }

  /** A replica without content stores nothing of its own so far: what is damaged is from before it. */
  #served(): Replica[] {
    return [...this.#options.host.replicas()].filter(
      ({ identity, phase, state }) =>
        this.#reasons.has(identity.group) && phase === 'running' && state.appliedIndex > 0,
    );
  }
}
