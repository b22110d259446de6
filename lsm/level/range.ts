import { successor } from '../bytes.ts';
import type { KeyRange } from '../engine.ts';
import { NO_BYTES } from '../iterator/cursor.ts';
import { bytesOf, type Data, ownBytesOf } from './formats.ts';

/** As abstract-level hands them on: encoded, and with nothing left out that the user gave. */
export interface RangeOptions {
  readonly gt?: Data;
  readonly gte?: Data;
  readonly lt?: Data;
  readonly lte?: Data;
}

/** Where both are given, the inclusive bound counts. */
export function keyRangeOf(options: RangeOptions): KeyRange {
  return { lower: lowerOf(options), upper: upperOf(options) };
}

function lowerOf({ gt, gte }: RangeOptions): Uint8Array {
  if (gte !== undefined) return ownBytesOf(gte);
  return gt === undefined ? NO_BYTES : successor(bytesOf(gt));
}

function upperOf({ lt, lte }: RangeOptions): Uint8Array | undefined {
  if (lte !== undefined) return successor(bytesOf(lte));
  return lt === undefined ? undefined : ownBytesOf(lt);
}
