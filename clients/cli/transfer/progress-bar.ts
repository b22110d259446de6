import type { Output } from '../output.ts';
import { formatCount, formatDuration } from '../table.ts';

const REDRAW_MS = 100;
const BAR_CELLS = 24;

/** How far something has come. Without a total there is no bar, only counts. */
export interface ProgressState {
  readonly items: number;
  readonly doneBytes?: number;
  readonly totalBytes?: number;
}

/** A line on the terminal that tells how far it is and when it will be done; nothing anywhere else. */
export class ProgressBar {
  readonly #output: Output;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #startBytes: number | undefined;

  constructor(output: Output, nowMs: () => number = () => performance.now()) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  update(state: ProgressState): void {
    const nowMs = this.#nowMs();
    this.#startBytes ??= state.doneBytes ?? 0;
    if (nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#output.progress(formatProgress(state, nowMs - this.#startedMs, this.#startBytes));
  }

  end(): void {
    this.#output.progressEnd();
  }

  /** For the result: seconds to the millisecond, and items per second. */
  summary(items: number): { readonly seconds: number; readonly perSecond: number } {
    const seconds = Math.max(0.001, (this.#nowMs() - this.#startedMs) / 1000);
    return { seconds: Math.round(seconds * 1000) / 1000, perSecond: Math.round(items / seconds) };
  }
}

/** `startBytes` had been done before: they say nothing about how fast this goes. */
export function formatProgress(
  { items, doneBytes = 0, totalBytes = 0 }: ProgressState,
  elapsedMs: number,
  startBytes = 0,
): string {
  const rate = elapsedMs > 0 ? Math.round((items * 1000) / elapsedMs) : 0;
  const counts = `${formatCount(items)} values, ${formatCount(rate)}/s`;
  if (totalBytes === 0) return counts;
  const share = Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(share * BAR_CELLS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  const progressed = doneBytes - startBytes;
  const left = progressed > 0 ? ((totalBytes - doneBytes) * elapsedMs) / progressed : 0;
  const remaining = left >= 1000 ? `, ${formatDuration(left)} left` : '';
  return `${bar} ${Math.floor(share * 100)} %  ${counts}${remaining}`;
}
