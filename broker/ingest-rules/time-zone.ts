import { IANAZone } from 'luxon';

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * A zone of the time zone database, which Node carries and luxon reads. Only offsets come from there: luxon's own
 * way from wall clock to instant looks at the current time, so the same message could be read in two ways.
 */
export class TimeZone {
  readonly #zone: IANAZone;
  /** The last offsets asked for: messages come soon after another, and luxon takes microseconds for each. */
  #near = { quarter: Number.NaN, before: 0, after: 0 };

  private constructor(zone: IANAZone) {
    this.#zone = zone;
  }

  /** The zone of a name such as `Europe/Berlin`; undefined: there is none. */
  static named(name: string): TimeZone | undefined {
    return IANAZone.isValidZone(name) ? new TimeZone(IANAZone.create(name)) : undefined;
  }

  /**
   * When the clock on the wall shows a time, in milliseconds since 1970. `wallClockMs` is that time read as if it
   * were UTC. Of the two instants in the hour that is repeated in autumn the later one counts, unless it is after
   * `notAfterMs`: a message comes soon after what it reports. A time that is skipped in spring is read as if the
   * clock had not been changed yet.
   */
  toUnixMs(wallClockMs: number, notAfterMs: number): number {
    const { before, after } = this.#offsetsAround(wallClockMs);
    if (before === after) return wallClockMs - before;
    const early = wallClockMs - Math.max(before, after);
    const late = wallClockMs - Math.min(before, after);
    const isEarly = this.#offset(early) === wallClockMs - early;
    const isLate = this.#offset(late) === wallClockMs - late;
    if (isEarly && isLate) return late <= notAfterMs ? late : early;
    if (isEarly || isLate) return isEarly ? early : late;
    return wallClockMs - before;
  }

  /**
   * What holds before and after a change that may be near: a day on either side lies beyond any offset. Clocks
   * are changed at full quarters of an hour.
   */
  #offsetsAround(wallClockMs: number): { readonly before: number; readonly after: number } {
    const quarter = Math.floor(wallClockMs / QUARTER_MS);
    if (this.#near.quarter !== quarter) {
      const startMs = quarter * QUARTER_MS;
      const before = this.#offset(startMs - DAY_MS);
      this.#near = { quarter, before, after: this.#offset(startMs + DAY_MS) };
    }
    return this.#near;
  }

  #offset(unixMs: number): number {
    return this.#zone.offset(unixMs) * MINUTE_MS;
  }
}
