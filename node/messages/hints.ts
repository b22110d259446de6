import type { Call } from '../transport/rpc.ts';

const ANSWER_MS = 1_000;
const TRIES_MAX = 5;

/** Tells the host of a session that there is something in its queue, until it has heard it. */
export class Hints {
  readonly #call: Call;
  readonly #isReachable: (node: string) => boolean;
  /** Hints that were not heard so far, and whether there is something new since they left. */
  readonly #open = new Map<string, { isRepeated: boolean }>();

  constructor(call: Call, isReachable: (node: string) => boolean) {
    this.#call = call;
    this.#isReachable = isReachable;
  }

  /** Many in a row are few calls. */
  give(node: string, clientId: string): void {
    const key = `${node} ${clientId}`;
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.isRepeated = true;
      return;
    }
    this.#open.set(key, { isRepeated: false });
    void this.#tell(node, clientId).then(() => {
      const { isRepeated } = this.#open.get(key) ?? {};
      this.#open.delete(key);
      if (isRepeated === true) this.give(node, clientId);
    });
  }

  async #tell(node: string, clientId: string): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX && this.#isReachable(node); tries++) {
      const answer = await this.#call(node, { sessionHint: { clientId } }, ANSWER_MS);
      if (answer !== undefined) return;
    }
  }
}
