import { clientError } from './errors.ts';

/** `lost`: somebody else's value is current, or none is. */
export type LeaseStep =
  | { readonly kind: 'won'; readonly version: number; readonly expiresAt: number | undefined }
  | { readonly kind: 'lost' };

/** Writes the holder, or nothing, if the version is the expected one. Rejects when nobody answers. */
export type LeaseWriter = (step: {
  readonly ifVersion: number | null;
  readonly isRelease: boolean;
  readonly timeoutMs?: number | undefined;
}) => Promise<LeaseStep>;

/** It is renewed after this share of its time, so that one attempt may take as long as the rest. */
const RENEW_AT = 1 / 3;

/**
 * A key that one client holds for a while and the others wait for. It renews itself until it is released or lost.
 *
 * When it is lost is decided by the clock of this process, from the moment at which the last successful renewal was
 * asked for: never later than the cluster gives the key to somebody else, unless another node takes over whose clock
 * is ahead. So give `version` along with everything that the holder does: whoever gets an older one after a newer one
 * refuses it.
 */
export class Lease {
  readonly key: string;
  readonly holder: string;
  readonly #write: LeaseWriter;
  readonly #ttlMs: number;
  readonly #controller = new AbortController();
  #version: number;
  #expiresAt: number | undefined;
  #heldUntilMs: number;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<boolean> | undefined;

  private constructor(
    options: { key: string; holder: string; ttlMs: number; write: LeaseWriter },
    won: { version: number; expiresAt: number | undefined; askedAtMs: number },
  ) {
    this.key = options.key;
    this.holder = options.holder;
    this.#write = options.write;
    this.#ttlMs = options.ttlMs;
    this.#version = won.version;
    this.#expiresAt = won.expiresAt;
    this.#heldUntilMs = won.askedAtMs + options.ttlMs;
    this.#schedule();
  }

  /** Resolves with `undefined` if somebody else holds it. */
  static async acquire(options: {
    key: string;
    holder: string;
    ttlMs: number;
    write: LeaseWriter;
  }): Promise<Lease | undefined> {
    const askedAtMs = performance.now();
    const step = await options.write({ ifVersion: null, isRelease: false });
    return step.kind === 'lost' ? undefined : new Lease(options, { ...step, askedAtMs });
  }

  /** Grows from holder to holder and from renewal to renewal: a fencing token. */
  get version(): number {
    return this.#version;
  }

  /** By the clock of the cluster, in milliseconds since 1970. */
  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  /** Is aborted when the lease is lost or released: what is done under it has to stop then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Renews it now, as happens by itself. Resolves with whether it is still held. */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Gives it back, so that somebody else need not wait until it expires. Does nothing when it is lost. */
  async release(): Promise<void> {
    await this.#renewing;
    if (this.signal.aborted) return;
    const timeoutMs = this.#heldUntilMs - performance.now();
    this.#end('the lease was released');
    await this.#write({ ifVersion: this.#version, isRelease: true, timeoutMs }).catch(() => {
      // Then it expires.
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** One attempt is all: repeated by another one, it might lose against itself. */
  async #renew(): Promise<boolean> {
    if (this.signal.aborted) return false;
    const askedAtMs = performance.now();
    const timeoutMs = this.#heldUntilMs - askedAtMs;
    try {
      const step = await this.#write({ ifVersion: this.#version, isRelease: false, timeoutMs });
      if (step.kind === 'won' && !this.signal.aborted) {
        this.#version = step.version;
        this.#expiresAt = step.expiresAt;
        this.#heldUntilMs = askedAtMs + this.#ttlMs;
        this.#schedule();
        return true;
      }
      this.#end('somebody else has the lease, or it was deleted');
    } catch (error) {
      this.#end('the lease could not be renewed', error);
    }
    return false;
  }

  #schedule(): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
    const leftMs = this.#heldUntilMs - performance.now();
    this.#renewal = setTimeout(() => void this.renew(), leftMs * RENEW_AT);
    this.#expiry = setTimeout(() => this.#end('the lease has expired'), leftMs);
  }

  #end(why: string, cause?: unknown): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#expiry);
    if (!this.signal.aborted) this.#controller.abort(clientError('LEASE_LOST', why, cause));
  }
}
