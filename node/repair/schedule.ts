/** Spreads the groups over the period, neighbours far apart: multiples of it never come close to whole numbers. */
const GOLDEN_RATIO = 0.618_033_988_75;

/** Whether a time of this group has come since it was last compared. Each has one in every period. */
export function isDue(
  group: number,
  { nowMs, lastMs, periodMs }: { nowMs: number; lastMs: number; periodMs: number },
): boolean {
  const phaseMs = ((group * GOLDEN_RATIO) % 1) * periodMs;
  const round = (timeMs: number) => Math.floor((timeMs - phaseMs) / periodMs);
  return round(nowMs) > round(lastMs);
}
