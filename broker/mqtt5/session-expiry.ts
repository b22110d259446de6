/** When the sessions of clients that are away end (MQTT 5 §3.1.2.11.2). Times are of the monotonic clock. */
export class SessionExpiry {
  readonly #endsAtMs = new Map<string, number>();

  /** A client has gone. Its session goes on for so long; Infinity: for ever. */
  left(clientId: string, expirySeconds: number, nowMs: number): void {
    if (expirySeconds === Number.POSITIVE_INFINITY) this.#endsAtMs.delete(clientId);
    else this.#endsAtMs.set(clientId, nowMs + expirySeconds * 1000);
  }

  /** The client comes back. Whether its session has ended meanwhile. */
  returns(clientId: string, nowMs: number): boolean {
    const endsAtMs = this.#endsAtMs.get(clientId);
    this.#endsAtMs.delete(clientId);
    return endsAtMs !== undefined && endsAtMs <= nowMs;
  }
}
