/** Durations as people write them: "500ms", "30s", "90m", "36h", "7d", "4w", or a number of seconds. */

const UNITS_MS: Readonly<Record<string, number>> = {
  w: 7 * 24 * 60 * 60_000,
  d: 24 * 60 * 60_000,
  h: 60 * 60_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const WRITTEN = /^(\d+(?:\.\d+)?)(ms|[smhdw])$/;

/** A century: longer is meant as "forever", or a slip of the unit. */
export const DURATION_MS_MAX = 36_525 * 24 * 60 * 60_000;

/** What a sentence about a wrong duration says is allowed. */
export const DURATION_FORMS = 'such as "30s", "90m", "36h" or "7d", or a number of seconds';

/** In whole milliseconds; `undefined` for what is no duration, or longer than `DURATION_MS_MAX`. */
export function parseDuration(input: unknown): number | undefined {
  const exactMs = typeof input === 'string' ? writtenMs(input) : secondsMs(input);
  if (!(exactMs >= 0 && exactMs <= DURATION_MS_MAX)) return undefined;
  // What is longer than nothing stays so: for a time to live nothing means never.
  return exactMs === 0 ? 0 : Math.max(1, Math.round(exactMs));
}

/** In the greatest unit that says it exactly; weeks are said in days. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const unit = ['d', 'h', 'm', 's'].find((name) => ms % (UNITS_MS[name] as number) === 0) ?? 'ms';
  return `${ms / (UNITS_MS[unit] as number)}${unit}`;
}

function writtenMs(text: string): number {
  const [, amount, unit = ''] = WRITTEN.exec(text.trim()) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? Number.NaN);
}

function secondsMs(input: unknown): number {
  return typeof input === 'number' ? input * 1_000 : Number.NaN;
}
