import { encode } from '../cluster.ts';
import type { Mix } from './mixes.ts';
import type { Fault, FaultSite } from './site.ts';

/** Has faults begin and end at random times, until it is told to heal everything. */
export class FaultDriver {
  /** How often each has happened. */
  readonly counts = new Map<string, number>();
  /** What happened when, for whoever reads a failing run. */
  readonly diary: { readonly atMs: number; readonly text: string }[] = [];
  readonly #site: FaultSite;
  readonly #mix: Mix;
  readonly #active = new Map<object, { readonly fault: Fault; readonly end: () => void }>();
  #running = true;

  constructor(site: FaultSite, mix: Mix) {
    this.#site = site;
    this.#mix = mix;
  }

  start(): void {
    if (this.#mix.faults.length > 0) this.#later();
  }

  /** Ends what is at work and begins nothing new. */
  heal(): void {
    this.#running = false;
    for (const key of [...this.#active.keys()]) this.#end(key);
    const { cluster } = this.#site;
    cluster.network.heal();
    for (const machine of cluster.machines) {
      machine.syncMs = 1;
      machine.skewMs = 0;
      machine.life?.resume();
      this.#site.bringUp(machine);
    }
    this.#note('everything is healed');
  }

  #later(): void {
    const { random, cluster } = this.#site;
    cluster.world.at(1 + random.below(2 * this.#mix.everyMs), () => {
      if (!this.#running) return;
      this.#begin();
      this.#later();
    });
  }

  #begin(): void {
    const { random, cluster } = this.#site;
    const fault = this.#pick();
    const end = fault.begin(this.#site);
    if (end === undefined) return;
    this.counts.set(fault.name, (this.counts.get(fault.name) ?? 0) + 1);
    this.#note(`${fault.name} begins`);
    const key = {};
    this.#active.set(key, { fault, end });
    const [least, most] = fault.lastsMs;
    cluster.world.at(least + random.below(most - least + 1), () => this.#end(key));
  }

  #end(key: object): void {
    const active = this.#active.get(key);
    if (active === undefined) return;
    this.#active.delete(key);
    active.end();
    this.#note(`${active.fault.name} ends`);
  }

  #pick(): Fault {
    const { faults } = this.#mix;
    let left = this.#site.random.fraction() * faults.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, fault] of faults) {
      left -= weight;
      if (left < 0) return fault;
    }
    return (faults.at(-1) as readonly [number, Fault])[1];
  }

  #note(what: string): void {
    const { world, machines } = this.#site.cluster;
    const states = machines.map(({ name, life }) => `${name}${life?.alive === true ? '' : ' off'}`);
    const text = `${what} (${states.join(', ')})`;
    this.diary.push({ atMs: world.nowMs, text });
    world.witness(encode(text));
  }
}
