import type { GetOutcome, HistoricValue } from '../../broker/data-plane.ts';
import { LsmError } from '../../lsm/errors.ts';
import { Space } from '../../node/shard/engine-key.ts';
import { scan } from '../support/scan.ts';
import { hex } from '../support/text.ts';
import { Violation } from './checkers/violation.ts';
import type { WatchedState } from './checkers/watch-order.ts';
import { decode, encode, type Machine, put, type SimCluster } from './cluster.ts';
import type { FaultSite } from './faults/site.ts';
import { found } from './workload/client.ts';
import { unpadded } from './workload/values.ts';
import type { Workload } from './workload/workload.ts';

/** A watch is opened again after five seconds of silence, and then begins with what it has missed. */
const WATCH_MS = 15_000;
/** Replicas that have just come to a node get theirs by snapshots, one after the other. */
const CATCH_UP_MS = 30_000;
/** It gives its replicas away one after the other. */
const LEAVE_MS = 120_000;
/** Within this it is over, whatever comes of it. */
export const FINAL_CHECK_MS = 240_000;

/** What must hold when all faults are over, everybody is there again, and nobody writes any more. */
export class FinalCheck {
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  readonly #machines: readonly Machine[];
  readonly #site: FaultSite;

  constructor(workload: Workload, site: FaultSite) {
    this.#cluster = workload.cluster;
    this.#workload = workload;
    this.#site = site;
    this.#machines = site.healable;
  }

  async run(): Promise<void> {
    await this.#watchedEverywhere();
    await this.#writeEverywhere();
    await this.#readEverywhere();
    await this.#watchedEverywhere();
    await this.#sameEverywhere();
    await this.#allHaveLeft();
  }

  /** Every node takes writes of every key. */
  async #writeEverywhere(): Promise<void> {
    await Promise.all(
      this.#machines.flatMap((machine) =>
        this.#workload.keys.map(async (key) => {
          const value = this.#workload.newValue(key);
          const operation = this.#workload.history.call(`end-${machine.name}`, key, {
            kind: 'put',
            value,
          });
          const version = await put(this.#cluster.dataPlane(machine), key, value).catch((error) => {
            throw new Violation(
              'liveness',
              `a write of ${key} through ${machine.name}: ${error.message}`,
            );
          });
          this.#workload.settle(operation, { kind: 'written', version });
        }),
      ),
    );
  }

  /** Every node gives the current values, and everything that was acknowledged. */
  async #readEverywhere(): Promise<void> {
    for (const machine of this.#machines) {
      await Promise.all(this.#workload.keys.map((key) => this.#readKey(machine, key)));
    }
  }

  async #readKey(machine: Machine, key: string): Promise<void> {
    const { history } = this.#workload;
    const dataPlane = this.#cluster.dataPlane(machine);
    const operation = history.call(`end-${machine.name}`, key, { kind: 'get' });
    const answer: GetOutcome = await dataPlane.get(encode(key));
    if (answer.kind === 'unavailable')
      throw new Violation('liveness', `${key} cannot be read from ${machine.name}`);
    this.#workload.settle(
      operation,
      answer.kind === 'found' ? found(answer) : { kind: 'not-found' },
    );
    const everything = { from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100_000, ascending: true };
    const page = await dataPlane.history({ key: encode(key), ...everything });
    if (page.kind === 'unavailable')
      throw new Violation('liveness', `the history of ${key} cannot be read from ${machine.name}`);
    this.#checkHistory(machine, key, page.items);
  }

  #checkHistory(machine: Machine, key: string, items: readonly HistoricValue[]): void {
    const values = new Map(items.map((item) => [item.version, unpadded(decode(item.value))]));
    for (const [version, value] of values)
      this.#workload.versions.told(key, version, value, `history on ${machine.name}`);
    for (const { key: other, request, outcome, id } of this.#workload.history.operations) {
      if (other !== key || request.kind === 'get') continue;
      if (outcome.kind !== 'written' && outcome.kind !== 'won') continue;
      const { version } = outcome;
      const isKept =
        version === 0 ? [...values.values()].includes(request.value) : values.has(version);
      if (isKept) continue;
      throw new Violation(
        'nothing acknowledged is lost',
        `operation ${id} wrote ${request.value || 'a deletion'} as ${key}@${version}, which ${machine.name} does not have`,
      );
    }
  }

  /** Watchers are told the newest of every key, at the latest when a lost connection has been noticed. */
  async #watchedEverywhere(): Promise<void> {
    const { world } = this.#cluster;
    let current = await this.#currentValues();
    const deadlineMs = world.nowMs + WATCH_MS;
    const open = [...this.#workload.watchers].filter(({ isOpen }) => isOpen);
    const lags = () =>
      open.some(
        ({ order, isOpen }) =>
          isOpen && [...current].some(([key, value]) => !order.isAt(key, value)),
      );
    while (lags() && world.nowMs < deadlineMs) {
      await new Promise<void>((resolve) => world.at(100, resolve));
    }
    // What a client gave up long ago may have come after the values were asked for.
    if (lags()) current = await this.#currentValues();
    for (const { order, isOpen } of open) {
      // Its node has left meanwhile.
      if (!isOpen) continue;
      for (const [key, value] of current) order.ended(key, value);
    }
  }

  async #currentValues(): Promise<Map<string, WatchedState>> {
    const [machine] = this.#machines as [Machine];
    const values = new Map<string, WatchedState>();
    for (const key of this.#workload.keys) {
      const answer = await this.#cluster.dataPlane(machine).get(encode(key));
      if (answer.kind === 'unavailable') throw new Violation('liveness', `${key} cannot be read`);
      if (answer.kind === 'not-found') values.set(key, undefined);
      else {
        const { version, value } = answer;
        values.set(key, { version, value: unpadded(decode(value)) });
      }
    }
    return values;
  }

  /** Replicas that have applied as much hold the same, and soon all have. */
  async #sameEverywhere(): Promise<void> {
    await this.#caughtUp();
    const seen = new Map<string, { readonly name: string; readonly content: string }>();
    for (const machine of this.#machines) {
      for (const { identity, state, isServing } of machine.active.host.replicas()) {
        if (!isServing) continue;
        const { group, firstSlot, slotCount } = identity;
        const at = `group ${group} at ${state.appliedIndex}`;
        const values = await this.#contentOf(machine, firstSlot, slotCount);
        if (values === undefined) continue;
        const streams = JSON.stringify([...state.streams.entries()].sort());
        const content = [`highest ${state.highestVersion}`, streams, ...values].join('\n');
        const other = seen.get(at);
        if (other === undefined) seen.set(at, { name: machine.name, content });
        else if (other.content !== content)
          throw new Violation(
            'state machine safety',
            `${at} is not the same on ${other.name} and ${machine.name}: ${difference(other.content, content)}`,
          );
      }
    }
  }

  /** One whose disk was spoiled may be in the way of others, and is not waited for. */
  async #caughtUp(): Promise<void> {
    if (this.#site.spoiled.size > 0) return;
    const { world } = this.#cluster;
    const deadlineMs = world.nowMs + CATCH_UP_MS;
    for (;;) {
      const behind = this.#behind();
      if (behind === undefined) return;
      if (world.nowMs >= deadlineMs) throw new Violation('liveness', behind);
      await new Promise<void>((resolve) => world.at(100, resolve));
    }
  }

  /** Who was told to leave has nothing soon, and goes; where a disk was spoiled there may be too few others. */
  async #allHaveLeft(): Promise<void> {
    if (this.#site.spoiled.size > 0) return;
    const { world } = this.#cluster;
    const deadlineMs = world.nowMs + LEAVE_MS;
    const [{ active }] = this.#machines as [Machine];
    for (;;) {
      const left = active.settings.current.nodes.find(({ state }) => state === 'leaving');
      if (left === undefined) return;
      if (world.nowMs >= deadlineMs) throw new Violation('liveness', `${left.name} is still there`);
      await new Promise<void>((resolve) => world.at(100, resolve));
    }
  }

  #behind(): string | undefined {
    const furthest = new Map<number, number>();
    const replicas = this.#machines.flatMap((machine) =>
      [...machine.active.host.replicas()].map(({ identity: { group }, state }) => {
        const { appliedIndex } = state;
        furthest.set(group, Math.max(appliedIndex, furthest.get(group) ?? 0));
        return { name: machine.name, group, appliedIndex };
      }),
    );
    const behind = replicas.find(
      ({ group, appliedIndex }) => appliedIndex < (furthest.get(group) as number),
    );
    if (behind === undefined) return undefined;
    const { name, group, appliedIndex } = behind;
    return `${name} has applied ${appliedIndex} of ${furthest.get(group)} entries of group ${group}`;
  }

  /**
   * Every value, old ones too, in a run of slots of this machine; undefined, if some of it was made unreadable. The
   * lists of what expires are left out: what has expired leaves them with compactions, which replicas do at
   * different times.
   */
  async #contentOf(machine: Machine, first: number, count: number): Promise<string[] | undefined> {
    const snapshot = machine.active.engine.snapshot();
    const end = first + count;
    const upper = end > 255 ? Uint8Array.of(255, 255, 255) : Uint8Array.of(end);
    try {
      const entries = await scan(snapshot, { lower: Uint8Array.of(first), upper });
      return entries
        .filter(({ key }) => key[1] !== Space.expiries)
        .map(({ key, value }) => `${hex(key)}=${hex(value)}`);
    } catch (error) {
      const isDamage = error instanceof LsmError && error.code === 'CORRUPTION';
      if (isDamage && this.#site.spoiled.has(machine)) return undefined;
      throw error;
    } finally {
      snapshot.close();
    }
  }
}

function difference(one: string, other: string): string {
  const left = one.split('\n');
  const right = other.split('\n');
  const at = left.findIndex((line, i) => line !== right[i]);
  return `${left[at] ?? 'nothing'} and ${right[at < 0 ? left.length : at] ?? 'nothing'}`;
}
