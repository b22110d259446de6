/** Values over time, oldest first, no more than `lengthMax`. */
export class Series {
  readonly #lengthMax: number;
  #points: { readonly atMs: number; readonly value: number | undefined }[] = [];

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  get values(): readonly (number | undefined)[] {
    return this.#points.map(({ value }) => value);
  }

  /** Undefined is a gap. */
  add(atMs: number, value: number | null | undefined): void {
    this.#points.push({ atMs, value: value ?? undefined });
    if (this.#points.length > this.#lengthMax) this.#points = this.#points.slice(-this.#lengthMax);
  }
}
