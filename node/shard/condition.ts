import { compareBytes } from '../../lsm/bytes.ts';
import type { KnownValue } from './known-values.ts';

/** What a conditional write came to. */
export interface ConditionalResult {
  /** Which write of its batch. */
  readonly ordinal: number;
  readonly won: boolean;
  /** Of the value that the key has now; 0: it has none. */
  readonly version: number;
  /** Of the winner's value; 0: never. */
  readonly expiresAt: number;
}

/** At version v a value has expired iff `expiresAt ≤ v` (DESIGN §5 ▣). */
export function isExpired(expiresAt: number, version: number): boolean {
  return expiresAt !== 0 && expiresAt <= version;
}

/** Absent, deleted and expired are alike. */
export function liveVersion(current: KnownValue | undefined, version: number): number {
  if (current === undefined || current.tombstone) return 0;
  return isExpired(current.expiresAt, version) ? 0 : current.version;
}

/** Whether the tombstone of a value that was due is still wanted. */
export function expires(current: KnownValue | undefined, ifVersion: number, version: number) {
  if (current === undefined || current.tombstone || current.version !== ifVersion) return false;
  return isExpired(current.expiresAt, version);
}

/** Whether the value that is current at `version` came from the request with this token. */
export function isRepetition(
  current: KnownValue | undefined,
  token: Uint8Array,
  version: number,
): boolean {
  if (current?.token === undefined || liveVersion(current, version) === 0) return false;
  return compareBytes(current.token, token) === 0;
}
