/** Every node sends a heartbeat every second, and most send more. */
const SILENT_TICKS = 7;

/**
 * Which nodes could not be heard for a while and can be again: what they sent meanwhile is lost. Counted in ticks of
 * 200 ms, so that a process that stood still takes nobody for silent whose messages wait in its sockets.
 */
export class Silence {
  readonly #silentTicks = new Map<string, number>();
  #returned = new Set<string>();

  tick(): void {
    for (const [node, ticks] of this.#silentTicks) this.#silentTicks.set(node, ticks + 1);
  }

  /** A message of this node has come. Returns whether that is news. */
  heard(node: string): boolean {
    const hasReturned = (this.#silentTicks.get(node) ?? 0) >= SILENT_TICKS;
    this.#silentTicks.set(node, 0);
    if (hasReturned) this.#returned.add(node);
    return hasReturned;
  }

  /** Those that have returned since this was last called. */
  takeReturned(): string[] {
    const returned = [...this.#returned];
    this.#returned = new Set();
    return returned;
  }
}
