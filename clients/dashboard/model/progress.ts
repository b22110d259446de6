import type { Move } from './documents.ts';

/** How much of a move is done, 0 to 1, by its own estimate of what is left. Undefined while nobody can know. */
export function progressOf({ decidedAtMs, msLeft }: Move, nowMs: number): number | undefined {
  if (decidedAtMs === null || msLeft === null) return undefined;
  const doneMs = Math.max(0, nowMs - decidedAtMs);
  return doneMs + msLeft === 0 ? 1 : doneMs / (doneMs + msLeft);
}
