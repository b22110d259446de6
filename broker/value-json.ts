import { type HistoricValue, type StoredValue, versionToUnixMs } from './data-plane.ts';
import { valueMembers } from './json.ts';

/** A stored value as answers and `dss/watch` show it. Times are in milliseconds since 1970. */
export interface DescribedValue {
  readonly version: number;
  readonly time: number;
  readonly expiresAt?: number;
  readonly value?: string;
  readonly base64?: string;
}

export function describeStored(item: StoredValue): DescribedValue {
  return { ...describeTimes(item), ...valueMembers(item.value) };
}

export function describeHistoric(item: HistoricValue): DescribedValue & { deleted?: true } {
  return item.deleted ? { ...describeTimes(item), deleted: true } : describeStored(item);
}

export function describeExpiry(expiresAt: number | undefined): { expiresAt?: number } {
  return expiresAt === undefined ? {} : { expiresAt: versionToUnixMs(expiresAt) };
}

function describeTimes({ version, time, expiresAt }: StoredValue): DescribedValue {
  return { version, time: versionToUnixMs(time), ...describeExpiry(expiresAt) };
}
