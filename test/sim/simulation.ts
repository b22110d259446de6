import { NodeError } from '../../node/errors.ts';
import { SeededRandom } from '../support/random.ts';
import type { Operation } from './checkers/history.ts';
import { linearize } from './checkers/linearizability.ts';
import { picture } from './checkers/picture.ts';
import { shortestFailing } from './checkers/shortest.ts';
import { type Property, Violation } from './checkers/violation.ts';
import { SimCluster } from './cluster.ts';
import { isDiskFailure } from './faults/disks.ts';
import { FaultDriver } from './faults/driver.ts';
import { MIXES, type MixName } from './faults/mixes.ts';
import { FaultSite } from './faults/site.ts';
import { FINAL_CHECK_MS, FinalCheck } from './final-check.ts';
import { Probe } from './probe.ts';
import { Workload } from './workload/workload.ts';

/** So long faults come and go. */
const FAULTS_MS = 75_000;
/** So many ticks of 200 ms after the last fault everything works again. */
const RECOVERY_MS = 60_000;
/** A process that failed is started again after this. */
const RESTART_MS = 1_000;

export interface SimulationResult {
  readonly seed: number;
  readonly mix: MixName;
  /** The same for the same seed, whatever machine it runs on. */
  readonly trace: number;
  readonly simulatedMs: number;
  readonly operations: number;
  /** From the end of the faults until everything was led and known again. */
  readonly recoveryMs: number;
  readonly faults: ReadonlyMap<string, number>;
  /** Keys whose history was too hard to judge. */
  readonly undecided: number;
  readonly violation: SimulationViolation | undefined;
  readonly diary: readonly string[];
}

export interface SimulationViolation {
  readonly property: Property | 'the simulator';
  readonly message: string;
  readonly atMs: number;
  /** Of the shortest failing history, where there is one. */
  readonly picture: string | undefined;
}

/** Runs one seed from the birth of a cluster to its judgement. */
export async function simulate(seed: number, mix: MixName): Promise<SimulationResult> {
  return new Simulation(seed, mix).run();
}

class Simulation {
  readonly #seed: number;
  readonly #mix: MixName;
  readonly #cluster: SimCluster;
  readonly #workload: Workload;
  readonly #site: FaultSite;
  readonly #driver: FaultDriver;
  readonly #probe: Probe;
  #violation: SimulationViolation | undefined;
  #recoveryMs = 0;
  #undecided = 0;

  constructor(seed: number, mix: MixName) {
    this.#seed = seed;
    this.#mix = mix;
    const random = new SeededRandom(seed ^ 0xfa017);
    this.#cluster = new SimCluster({
      nodes: random.pick(MIXES[mix].nodes),
      seed,
      shardCount: 4,
      memtableBytes: 16 * 1024,
      segmentBytes: 32 * 1024,
    });
    const guard = (check: () => void) => this.#guard(check);
    this.#probe = new Probe(guard);
    this.#cluster.onJoined = ({ name, nodeId, active }) => this.#probe.attach(name, nodeId, active);
    this.#cluster.onEnding = (machine) => {
      const { name, node, vfs } = machine;
      if (node === undefined || this.#site.spoiled.has(machine)) return;
      this.#probe.ended(name, node.identity.generation, vfs);
    };
    this.#workload = new Workload(
      this.#cluster,
      { seed, clients: 4, keys: 8, thinkMs: 400, valueBytesMax: 800 },
      guard,
    );
    this.#site = new FaultSite(this.#cluster, random);
    this.#driver = new FaultDriver(this.#site, MIXES[mix]);
  }

  async run(): Promise<SimulationResult> {
    const unhandled = (error: unknown) => this.#fail(asViolation(error));
    process.on('unhandledRejection', unhandled);
    try {
      await this.#live();
    } catch (error) {
      this.#fail(asViolation(error));
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    return {
      seed: this.#seed,
      mix: this.#mix,
      trace: this.#cluster.world.trace,
      simulatedMs: this.#cluster.world.nowMs,
      operations: this.#workload.history.operations.length,
      recoveryMs: this.#recoveryMs,
      faults: this.#driver.counts,
      undecided: this.#undecided,
      violation: this.#violation,
      diary: this.#diary(),
    };
  }

  /** Faults and what the nodes said, in order. */
  #diary(): string[] {
    const said = this.#cluster.world.log
      .filter(({ level }) => level !== 'debug')
      .map(({ atMs, node, name, message }) => ({ atMs, text: `${node}: ${name}: ${message}` }));
    return [...this.#driver.diary, ...said]
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, text }) => `${atMs} ms: ${text}`);
  }

  async #live(): Promise<void> {
    const { world } = this.#cluster;
    await this.#cluster.startAll();
    this.#workload.start();
    this.#supervise();
    this.#driver.start();
    await this.#for(FAULTS_MS);
    this.#driver.heal();
    const healedAtMs = world.nowMs;
    const healthy = () => this.#cluster.isLed(this.#site.healable);
    await this.#until('every group is led again', healthy, RECOVERY_MS);
    this.#recoveryMs = world.nowMs - healedAtMs;
    this.#workload.stop();
    await this.#until('clients end', () => this.#workload.isIdle, RECOVERY_MS);
    this.#workload.watchEverywhere();
    // Whatever was given up and is still on its way arrives, or never will.
    await this.#for(12_000);
    this.#checkComplaints();
    const check = new FinalCheck(this.#workload, this.#site);
    const judged = check.run();
    let isOver = false;
    judged.then(
      () => (isOver = true),
      (error: unknown) => this.#fail(asViolation(error)),
    );
    await this.#until('the final check ends', () => isOver, FINAL_CHECK_MS);
    for (const [key, operations] of this.#workload.history.byKey()) this.#judge(key, operations);
  }

  /** Where no disk was spoiled, no node has a reason to distrust what it holds. */
  #checkComplaints(): void {
    const complaints = ['entry-skipped', 'group-halted', 'log-damaged', 'state-damaged'];
    const spoiled = new Set([...this.#site.spoiled].map(({ name }) => name));
    for (const { node, name, message } of this.#cluster.world.log) {
      if (!complaints.includes(name) || spoiled.has(node)) continue;
      throw new Violation('no node fails by itself', `${node}: ${message}`);
    }
    for (const machine of this.#site.healable) {
      const [suspect] = machine.active.suspects;
      if (suspect === undefined || this.#site.spoiled.has(machine)) continue;
      const { group, reason } = suspect;
      throw new Violation(
        'no node fails by itself',
        `${machine.name} distrusts group ${group}: ${reason}`,
      );
    }
  }

  #judge(key: string, operations: readonly Operation[]): void {
    const verdict = linearize(operations);
    if (verdict.kind === 'undecided') this.#undecided += 1;
    if (verdict.kind !== 'violation' || this.#violation !== undefined) return;
    const shortest = shortestFailing(operations);
    this.#violation = {
      property: 'linearizability',
      message: `the history of ${key} cannot have happened in any order`,
      atMs: Math.max(...shortest.map(({ calledAtMs }) => calledAtMs)),
      picture: picture(shortest),
    };
  }

  /** Starts again what has failed by itself, if it had a reason to. */
  #supervise(): void {
    const { cluster } = this.#site;
    for (const machine of cluster.machines) {
      const { fatal } = machine;
      if (fatal === undefined) continue;
      machine.fatal = undefined;
      if (machine.life?.alive === true) cluster.kill(machine);
      if (this.#site.lost.has(machine)) continue;
      if (this.#site.leaving.has(machine) && isRemoval(fatal)) {
        this.#site.lost.add(machine);
        continue;
      }
      if (!isDiskFailure(fatal)) {
        const message = `${machine.name}: ${fatal.stack ?? fatal.message}`;
        this.#fail(new Violation('no node fails by itself', message));
      }
      cluster.world.at(RESTART_MS, () => {
        if (!this.#site.busy.has(machine)) this.#site.bringUp(machine);
      });
    }
    cluster.world.at(RESTART_MS, () => this.#supervise());
  }

  #for(ms: number): Promise<void> {
    const { world } = this.#cluster;
    const endMs = world.nowMs + ms;
    world.at(ms, () => {});
    return this.#until('time passes', () => world.nowMs >= endMs, ms);
  }

  /** Runs until it holds. @throws the first violation, and one of liveness when time is over. */
  async #until(what: string, condition: () => boolean, withinMs: number): Promise<void> {
    const { world } = this.#cluster;
    const deadlineMs = world.nowMs + withinMs;
    world.at(withinMs, () => {});
    const isLate = () => world.nowMs >= deadlineMs && !condition();
    const isOver = () => this.#violation !== undefined || condition() || isLate();
    await world.until(what, isOver, withinMs);
    if (this.#violation !== undefined)
      throw new Violation('liveness', 'ends with the first violation');
    if (isLate()) throw new Violation('liveness', `${what}: not within ${withinMs} ms`);
  }

  /** A checker that complains in the middle of a node's work ends the run, not the node. */
  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#fail(asViolation(error));
    }
  }

  /** Only the first counts: what comes after it may be its consequence. */
  #fail(violation: Violation): void {
    this.#violation ??= {
      property: violation.property,
      message: violation.message,
      atMs: this.#cluster.world.nowMs,
      picture: undefined,
    };
  }
}

/** Its cluster goes on without it, and has said so. */
function isRemoval(error: Error): boolean {
  return error instanceof NodeError && error.code === 'NODE_REMOVED';
}

function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Violation('no node fails by itself', message);
}
