import type { CompactionFilter, Verdict } from '../../lsm/compaction/filter.ts';
import { hex, text } from './engine-support.ts';

/** For `DbOptions.compactionFilter`. */
export const ruleFilterModule = import.meta.url;

/** The keys judged in this thread, with their values, pass by pass. */
export const passes: { key: Uint8Array; value: string }[][] = [];

/**
 * Takes a state for a cutoff, as text, and drops what is older, except values that begin with `kept`. A
 * `tombstone` older than the oldest cutoff goes when it is alone, and with it what it hides.
 * @public
 */
export function createCompactionFilter(
  state: Uint8Array,
  oldestState: Uint8Array,
): CompactionFilter {
  const [cutoff, oldestCutoff] = [Number(text(state)), Number(text(oldestState))];
  const pass: { key: Uint8Array; value: string }[] = [];
  passes.push(pass);
  let hiddenSeries = '';
  return {
    judge(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd): Verdict {
      const key = keyBytes.slice(keyStart, keyEnd);
      const value = text(valueBytes.subarray(valueStart, valueEnd));
      pass.push({ key, value });
      const series = hex(key.subarray(0, key.length - 8));
      if (value === 'tombstone' && timeOf(key) < oldestCutoff) {
        hiddenSeries = series;
        return 'drop-if-alone';
      }
      if (series === hiddenSeries) return 'drop';
      if (value === 'tombstone' || value.startsWith('kept')) return 'keep';
      return timeOf(key) < cutoff ? 'drop' : 'keep';
    },
  };
}

/** The time that `keyAt` put into a key. */
export function timeOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return Number(0xffff_ffff_ffff_ffffn - view.getBigUint64(key.length - 8));
}
