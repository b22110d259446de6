import { SeededRandom } from '../../support/random.ts';
import { History, type Operation, type Outcome } from '../checkers/history.ts';
import { KnownVersions } from '../checkers/known-versions.ts';
import { encode, type Machine, type SimCluster } from '../cluster.ts';
import { Client } from './client.ts';
import { Watcher } from './watcher.ts';

export interface WorkloadOptions {
  readonly clients: number;
  readonly keys: number;
  /** A client thinks up to so long before its next request. */
  readonly thinkMs: number;
  readonly valueBytesMax: number;
}

/** All clients and watchers of a run, and what they were told. */
export class Workload {
  readonly cluster: SimCluster;
  readonly random: SeededRandom;
  readonly options: WorkloadOptions;
  readonly history: History;
  readonly versions = new KnownVersions();
  /** Of each key the highest version that was acknowledged, or read. */
  readonly acknowledged = new Map<string, number>();
  readonly keys: readonly string[];
  /** Their values expire; nothing is promised of them here but what holds for all replicas. */
  readonly fleetingKeys: readonly string[] = ['t/0', 't/1'];
  readonly guard: (check: () => void) => void;
  readonly #clients: Client[] = [];
  readonly #watchers = new Map<Machine, Watcher>();
  running = true;
  #values = 0;

  constructor(
    cluster: SimCluster,
    options: WorkloadOptions & { readonly seed: number },
    guard: (check: () => void) => void,
  ) {
    this.cluster = cluster;
    this.options = options;
    this.guard = guard;
    this.random = new SeededRandom(options.seed ^ 0x5eed);
    this.history = new History(() => cluster.world.nowMs);
    this.keys = Array.from({ length: options.keys }, (_, i) => `k/${i}`);
  }

  start(): void {
    for (let i = 0; i < this.options.clients; i++) this.#clients.push(new Client(this, `c${i}`));
    for (const client of this.#clients) client.start();
    this.#watchNowAndThen();
  }

  /** No new requests; those under way end by themselves. */
  stop(): void {
    this.running = false;
  }

  get isIdle(): boolean {
    return this.#clients.every((client) => client.isIdle);
  }

  /** The machines whose nodes take requests. */
  usable(): Machine[] {
    return this.cluster.machines.filter(({ joined, life }) => joined && life?.alive === true);
  }

  /** A value that nobody else writes. */
  newValue(key: string): string {
    const value = `v${++this.#values}`;
    this.versions.asked(key, value);
    return value;
  }

  /** An operation has come to an end for its client. */
  settle(operation: Operation, outcome: Outcome): void {
    const { key, request, client } = operation;
    this.history.return(operation, outcome);
    this.cluster.world.witness(encode(`${operation.id} ${JSON.stringify(outcome)}`));
    if (!('version' in outcome) || outcome.version === null) return;
    const { version } = outcome;
    const value = outcome.kind === 'found' ? outcome.value : writtenValue(request, outcome);
    if (value !== undefined) {
      this.guard(() => this.versions.told(key, version, value, `${client} (${operation.id})`));
    }
    this.acknowledged.set(key, Math.max(version, this.acknowledged.get(key) ?? 0));
  }

  /** Opens watches where there are none. */
  watchEverywhere(): void {
    for (const machine of this.usable()) {
      const watcher = this.#watchers.get(machine);
      if (watcher?.isOpen !== true) this.#watchers.set(machine, new Watcher(this, machine));
    }
  }

  get watchers(): Iterable<Watcher> {
    return this.#watchers.values();
  }

  #watchNowAndThen(): void {
    this.watchEverywhere();
    const open = [...this.#watchers.values()].filter(({ isOpen }) => isOpen);
    if (open.length > 0 && this.random.chance(0.2)) this.random.pick(open).close();
    this.cluster.world.at(500 + this.random.below(1_000), () => {
      if (this.running) this.#watchNowAndThen();
    });
  }
}

/** What the acknowledged write left under its version; undefined: that was an earlier one. */
function writtenValue(request: Operation['request'], outcome: Outcome): string | undefined {
  if (request.kind === 'get' || outcome.kind === 'lost') return undefined;
  return request.value;
}
