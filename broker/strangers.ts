/**
 * Connections that have not said yet who they are. Each may be a node's, so none is turned away; when there are too many, the
 * one that has said nothing for longest goes, as whoever means well says it at once.
 */
export class Strangers<Connection> {
  readonly #max: number;
  readonly #waiting = new Set<Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Returns the one that has to go. */
  add(connection: Connection): Connection | undefined {
    this.#waiting.add(connection);
    if (this.#waiting.size <= this.#max) return undefined;
    const [oldest] = this.#waiting;
    if (oldest !== undefined) this.#waiting.delete(oldest);
    return oldest;
  }

  /** It has said it, or is gone. */
  delete(connection: Connection): void {
    this.#waiting.delete(connection);
  }
}
