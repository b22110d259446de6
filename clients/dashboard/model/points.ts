/** Numbers over time, oldest first: one per millisecond, the last that was written. */
export class Points {
  #times: number[] = [];
  #numbers: number[] = [];

  get timesMs(): readonly number[] {
    return this.#times;
  }

  get numbers(): readonly number[] {
    return this.#numbers;
  }

  /** Wherever it belongs; most are the newest. */
  add(atMs: number, number: number): void {
    let at = this.#times.length;
    while (at > 0 && (this.#times[at - 1] as number) > atMs) at -= 1;
    if (this.#times[at - 1] === atMs) {
      this.#numbers[at - 1] = number;
      return;
    }
    this.#times.splice(at, 0, atMs);
    this.#numbers.splice(at, 0, number);
  }

  /** Of one millisecond the one that is here already stays: what comes in late is older. */
  addOlder(points: readonly { readonly atMs: number; readonly number: number }[]): void {
    const known = new Set(this.#times);
    const all = [
      ...points.filter(({ atMs }) => !known.has(atMs)),
      ...this.#times.map((atMs, at) => ({ atMs, number: this.#numbers[at] as number })),
    ].sort((a, b) => a.atMs - b.atMs);
    const unique = all.filter(({ atMs }, at) => all[at + 1]?.atMs !== atMs);
    this.#times = unique.map(({ atMs }) => atMs);
    this.#numbers = unique.map(({ number }) => number);
  }

  /** Leaves out what is older, but for the last: from there the line comes in. */
  dropBefore(atMs: number): void {
    const first = this.#times.findIndex((time) => time >= atMs);
    const dropped = (first === -1 ? this.#times.length : first) - 1;
    if (dropped <= 0) return;
    this.#times.splice(0, dropped);
    this.#numbers.splice(0, dropped);
  }
}

/** With fewer points nobody can say what a gap is. */
const GAP_POINTS_MIN = 20;
/** So many times as long as nearly all steps are. */
const GAP_STEPS = 10;

/**
 * Times and numbers with a hole where nothing came for much longer than usual: a line across would be a claim. What
 * comes now and then has long steps, and so no holes.
 */
export function withGaps({ timesMs, numbers }: Pick<Points, 'timesMs' | 'numbers'>): {
  readonly timesMs: readonly number[];
  readonly numbers: readonly (number | null)[];
} {
  if (timesMs.length < GAP_POINTS_MIN) return { timesMs, numbers };
  const steps = timesMs.slice(1).map((time, at) => time - (timesMs[at] as number));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor(steps.length * 0.9)] as number;
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [at, time] of timesMs.entries()) {
    const before = timesMs[at - 1];
    if (before !== undefined && time - before > usual * GAP_STEPS) {
      times.push(before + 1);
      values.push(null);
    }
    times.push(time);
    values.push(numbers[at] as number);
  }
  return { timesMs: times, numbers: values };
}
