import type { SeededRandom } from '../../support/random.ts';
import type { Machine, SimCluster } from '../cluster.ts';

/**
 * Where faults happen: which machines have one, so that no two are at work on the same process or disk, and which
 * have lost what their group must not lose twice.
 */
export class FaultSite {
  readonly cluster: SimCluster;
  readonly random: SeededRandom;
  /** Machines on which a fault of process or disk is at work. */
  readonly busy = new Set<Machine>();
  /** Their disks have lost, or may have, what had been synced: never more than a minority of any group. */
  readonly spoiled = new Set<Machine>();
  /** Nothing brings these nodes back: their names belong to disks that are gone. */
  readonly lost = new Set<Machine>();
  /** Their cluster lets these go, or has: they come back as others do until they are told so. */
  readonly leaving = new Set<Machine>();

  constructor(cluster: SimCluster, random: SeededRandom) {
    this.cluster = cluster;
    this.random = random;
  }

  /** Those whose nodes come back when faults are over, and stay. */
  get healable(): Machine[] {
    return this.cluster.machines.filter(
      (machine) => !this.lost.has(machine) && !this.leaving.has(machine),
    );
  }

  isRunning = (machine: Machine): boolean => machine.life?.alive === true;

  /** A machine that runs and has no fault yet. */
  pickFree(): Machine | undefined {
    const free = this.cluster.machines.filter(
      (machine) => this.isRunning(machine) && machine.joined && !this.busy.has(machine),
    );
    return free.length === 0 ? undefined : this.random.pick(free);
  }

  /** One whose disk may be spoiled: the only one, as any two may be two of a group's three. */
  pickToSpoil(): Machine | undefined {
    const [spoiled] = this.spoiled;
    const machine = spoiled ?? this.pickFree();
    if (machine === undefined || this.busy.has(machine) || this.lost.has(machine)) return undefined;
    return this.isRunning(machine) && machine.joined ? machine : undefined;
  }

  /** Claims the machine for a fault; what this returns gives it back. */
  claim(machine: Machine): () => void {
    this.busy.add(machine);
    return () => void this.busy.delete(machine);
  }

  bringUp(machine: Machine): void {
    if (this.isRunning(machine) || this.lost.has(machine)) return;
    this.cluster.launch(machine);
  }

  /** `kill -9`, with half a chance; else the power goes, and a random part of what was not synced with it. */
  bringDown(machine: Machine): void {
    if (this.random.chance(0.5)) this.cluster.kill(machine);
    else this.cluster.cutPower(machine, this.random.pick([0, 0.5, 1]));
  }
}

/** What can go wrong. It begins, lasts for a time of the driver's choice, and ends. */
export interface Fault {
  readonly name: string;
  readonly lastsMs: readonly [least: number, most: number];
  /** Begins it and returns how it ends; undefined: it cannot happen now. */
  begin(site: FaultSite): (() => void) | undefined;
}
