import type { EngineEvent, KeyRange } from './engine.ts';
import { LsmError } from './errors.ts';

/** Where and how bytes are wrong; the `cause` of every CORRUPTION error, plain so that threads can pass it. */
export interface CorruptionDetail {
  readonly file: string;
  readonly offset: number;
  readonly expected: string;
  readonly got: string;
}

export function corruption(
  file: string,
  offset: number,
  expected: string | number,
  got: string | number,
): LsmError {
  const detail: CorruptionDetail = { file, offset, expected: `${expected}`, got: `${got}` };
  const message = `${file} is damaged at ${offset}: ${reasonOf(detail)}`;
  return new LsmError('CORRUPTION', message, { cause: detail });
}

export function corruptionEvent(
  detail: CorruptionDetail,
  range: KeyRange | undefined,
): EngineEvent {
  const { file, offset } = detail;
  return { kind: 'corruption', file, offset, reason: reasonOf(detail), range };
}

export function isCorruption(error: unknown): error is LsmError {
  return error instanceof LsmError && error.code === 'CORRUPTION';
}

/** The detail of a CORRUPTION error, also of one made by other code with less to say. */
export function corruptionDetail(error: LsmError): CorruptionDetail {
  const cause = error.cause as Partial<CorruptionDetail> | undefined;
  return {
    file: cause?.file ?? 'unknown',
    offset: cause?.offset ?? 0,
    expected: cause?.expected ?? 'sound bytes',
    got: cause?.got ?? error.message,
  };
}

/** For those who say where it is themselves. */
export function reasonOf({ expected, got }: CorruptionDetail): string {
  return `expected ${expected}, got ${got}`;
}
