import type { BrokerEnv } from './env.ts';

/**
 * Collects what connections want done once per turn (acknowledgements in one write, the next part of a
 * flood), so that a turn costs one `env.yield` however many connections were busy in it.
 */
export class EndOfTurn {
  readonly #env: BrokerEnv;
  #tasks: (() => void)[] = [];

  constructor(env: BrokerEnv) {
    this.#env = env;
  }

  add(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#env.yield(() => this.#run());
  }

  /** What is added meanwhile belongs to the next turn. */
  #run(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    const outer = this.#env.stages?.enter('acknowledge');
    for (const task of tasks) task();
    this.#env.stages?.leave(outer);
  }
}
