import {
  type HistoricValue,
  type StoredValue,
  versionToUnixMs,
  type WatchedValue,
} from './data-plane.ts';
import { utf8Text, valueMembers } from './json.ts';

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

/** As it is told to whoever watches. */
export function describeWatched(item: WatchedValue): object {
  const { key, snapshot } = item;
  return { key: utf8Text(key), ...describeHistoric(item), snapshot };
}

export function describeExpiry(expiresAt: number | undefined): { expiresAt?: number } {
  return expiresAt === undefined ? {} : { expiresAt: versionToUnixMs(expiresAt) };
}

export function describeTimes({ version, time, expiresAt }: StoredValue): DescribedValue {
  return { version, time: versionToUnixMs(time), ...describeExpiry(expiresAt) };
}
