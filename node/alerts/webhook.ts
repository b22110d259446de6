import type { Env } from '../env.ts';

/** Sends one JSON text, and rejects if it was not taken. */
export type Post = (body: string) => Promise<void>;

interface Waiting {
  readonly body: string;
  readonly sinceMs: number;
}

const QUEUE_MAX = 200;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** Nobody wants to be woken by what was long ago. */
const GIVE_UP_MS = 3_600_000;

/**
 * Tells somebody's web server of alerts, one after the other, in order. What it does not take is sent again after a second,
 * then two, then four, and at last once a minute; what waits is bounded, and nobody waits for it.
 */
export class Webhook {
  readonly #env: Env;
  readonly #post: Post;
  readonly #queue: Waiting[] = [];
  #isSending = false;
  #failures = 0;
  #cancelRetry = () => {};
  #isStopped = false;

  constructor(env: Env, post: Post) {
    this.#env = env;
    this.#post = post;
  }

  /** Whether what was tried last was taken; another node tells if not. */
  get isWorking(): boolean {
    return this.#failures === 0;
  }

  send(body: string): void {
    this.#queue.push({ body, sinceMs: this.#env.clock.monotonicMs() });
    if (this.#queue.length > QUEUE_MAX) this.#giveUp('more of them wait than can be kept');
    if (this.#isStopped || this.#isSending) return;
    if (this.#failures === 0) void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
  }

  async #run(): Promise<void> {
    this.#isSending = true;
    while (!this.#isStopped) {
      const [next] = this.#queue;
      if (next === undefined) break;
      try {
        await this.#post(next.body);
      } catch (error) {
        this.#failed(next, error);
        break;
      }
      this.#failures = 0;
      if (this.#queue[0] === next) this.#queue.shift();
    }
    this.#isSending = false;
  }

  #failed({ sinceMs }: Waiting, error: unknown): void {
    const { clock, timers, events } = this.#env;
    this.#failures += 1;
    if (this.#failures === 1) {
      const message = `the webhook for alerts did not take one, and is tried again: ${(error as Error).message}`;
      events.emit({ level: 'warn', name: 'webhook-failed', message });
    }
    if (clock.monotonicMs() - sinceMs >= GIVE_UP_MS)
      this.#giveUp('it has not taken it for an hour');
    if (this.#isStopped) return;
    const delayMs = Math.min(RETRY_MS * 2 ** (this.#failures - 1), RETRY_MS_MAX);
    this.#cancelRetry = timers.after(delayMs, () => void this.#run());
  }

  /** Of the oldest. */
  #giveUp(why: string): void {
    this.#queue.shift();
    const message = `the webhook for alerts is not told of one: ${why}`;
    this.#env.events.emit({ level: 'error', name: 'webhook-gave-up', message });
  }
}
