import type { Env } from './env.ts';
import type { SystemFacts } from './status.ts';

/** Where retained `dss/sys/…` topics are published: the broker. */
export interface SystemBoard {
  publishSystem(topic: string, json: unknown): void;
  clearSystem(topic: string): void;
}

/** Nodes fall silent, and disks fill up, without anybody saying so. */
const LOOK_MS = 1_000;

/**
 * Says under `dss/sys/` how the cluster is, and says it again whenever the truth has changed. What does not hold
 * any more (an alert that is over, a node that is gone) is taken back.
 */
export class SystemTopics {
  readonly #env: Env;
  readonly #board: SystemBoard;
  readonly #facts: () => SystemFacts;
  /** By topic: what was said last. */
  #published = new Map<string, string>();
  #stopLooking = () => {};
  #isScheduled = false;
  #isRunning = false;

  constructor(options: {
    readonly env: Env;
    readonly board: SystemBoard;
    readonly facts: () => SystemFacts;
  }) {
    this.#env = options.env;
    this.#board = options.board;
    this.#facts = options.facts;
  }

  start(): void {
    this.#isRunning = true;
    this.#stopLooking = this.#env.timers.every(LOOK_MS, () => this.#publish());
    this.changed();
  }

  stop(): void {
    this.#isRunning = false;
    this.#stopLooking();
  }

  /** Something was learnt. Much may be within one turn, and is told at its end. */
  changed(): void {
    if (this.#isScheduled || !this.#isRunning) return;
    this.#isScheduled = true;
    this.#env.yield(() => {
      this.#isScheduled = false;
      if (this.#isRunning) this.#publish();
    });
  }

  #publish(): void {
    const published = new Map<string, string>();
    for (const [topic, content] of topicsOf(this.#facts())) {
      const text = JSON.stringify(content);
      published.set(topic, text);
      if (this.#published.get(topic) !== text) this.#board.publishSystem(topic, content);
    }
    for (const topic of this.#published.keys()) {
      if (!published.has(topic)) this.#board.clearSystem(topic);
    }
    this.#published = published;
  }
}

function topicsOf({ cluster, durability, nodes, alerts }: SystemFacts): [string, object][] {
  return [
    ['cluster', cluster],
    ['durability', durability],
    ...nodes.map(({ id, name, state, mqtt, http, leads, replicas }): [string, object] => [
      `nodes/${id}`,
      { id, name, state, mqtt, http, leads, replicas },
    ]),
    ...alerts.map((alert): [string, object] => [`alerts/${alert.name}`, alert]),
  ];
}
