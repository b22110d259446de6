import type { Watch } from '../../../broker/data-plane.ts';
import { WatchOrder } from '../checkers/watch-order.ts';
import { decode, type Machine } from '../cluster.ts';
import type { Life } from '../world.ts';
import { unpadded } from './values.ts';
import type { Workload } from './workload.ts';

/** Somebody who watches all keys at one node for as long as that lives. */
export class Watcher {
  readonly order: WatchOrder;
  readonly machine: Machine;
  readonly #life: Life;
  #watch: Watch | undefined;
  #closed = false;

  constructor(workload: Workload, machine: Machine) {
    const { cluster, guard, versions } = workload;
    this.machine = machine;
    this.#life = machine.life as Life;
    const name = `the watch on ${machine.name} of ${cluster.world.nowMs} ms`;
    this.order = new WatchOrder(name, new Map(workload.acknowledged));
    const dataPlane = cluster.dataPlane(machine);
    this.#life.reach(() => {
      if (this.#closed) return;
      this.#watch = dataPlane.watch('#', {
        value: ({ key, version, value, snapshot }) => {
          const text = unpadded(decode(value));
          guard(() => {
            this.order.told(decode(key), version, text, snapshot);
            versions.told(decode(key), version, text, name);
          });
          return undefined;
        },
        snapshotDone: () => guard(() => this.order.allTold()),
      });
    });
  }

  get isOpen(): boolean {
    return !this.#closed && this.#life.alive;
  }

  close(): void {
    this.#closed = true;
    this.#life.reach(() => this.#watch?.close());
  }
}
