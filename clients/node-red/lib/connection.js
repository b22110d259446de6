'use strict';

/** So long after a failed attempt the next one begins. */
const PAUSE_MS = 5_000;

/**
 * The one client that all nodes of a cluster entry share. It is opened when the first of them comes, again and again
 * until it succeeds; from then on the client reconnects by itself.
 *
 * Its state is `connecting` (with the last error, if there was one), `connected`, or `refused`: trying again helps
 * only after somebody has changed something, there or here.
 */
class Connection {
  #open;
  #onState;
  #client;
  #attempt;
  #problem;
  #state = { kind: 'connecting' };
  #listeners = new Set();
  #closing = new AbortController();
  #timer;

  /**
   * `open`: takes an `AbortSignal`, and resolves with a client of `dss/client`. `onState`: called with every state,
   * and opens nothing.
   */
  constructor(open, onState) {
    this.#open = open;
    this.#onState = onState;
  }

  /** Calls `listener` with the state now and with every later one. Returns what ends that. */
  follow(listener) {
    const isFirst = this.#listeners.size === 0;
    this.#listeners.add(listener);
    listener(this.#state);
    if (isFirst && this.#isIdle) void this.#connect();
    return () => this.#listeners.delete(listener);
  }

  /** The client; while the first attempts fail, what they failed with. Only for those who follow. */
  async client() {
    if (this.#client !== undefined) return this.#client;
    if (this.#attempt !== undefined) return this.#attempt;
    throw this.#problem;
  }

  /** What is under way gets a few seconds for its outcome. */
  async close() {
    clearTimeout(this.#timer);
    this.#listeners.clear();
    const client = this.#client;
    if (client === undefined) {
      const closed = new Error('the flow was stopped before there was a connection');
      this.#closing.abort(Object.assign(closed, { code: 'CLIENT_CLOSED' }));
    }
    await client?.close();
  }

  get #isIdle() {
    return this.#client === undefined && this.#attempt === undefined && this.#timer === undefined;
  }

  async #connect() {
    this.#attempt = this.#open(this.#closing.signal);
    try {
      const client = await this.#attempt;
      this.#client = client;
      client.on('connect', () => this.#become({ kind: 'connected', url: client.url }));
      client.on('disconnect', ({ reason }) => this.#become({ kind: 'connecting', error: reason }));
      const { url } = client;
      this.#become(url === undefined ? { kind: 'connecting' } : { kind: 'connected', url });
    } catch (error) {
      this.#problem = error;
      if (this.#closing.signal.aborted) return;
      this.#become({ kind: error.code === 'UNAVAILABLE' ? 'connecting' : 'refused', error });
      this.#timer = setTimeout(() => void this.#connect(), PAUSE_MS);
    } finally {
      this.#attempt = undefined;
    }
  }

  #become(state) {
    this.#state = state;
    this.#onState(state);
    for (const listener of [...this.#listeners]) listener(state);
  }
}

module.exports = { Connection };
