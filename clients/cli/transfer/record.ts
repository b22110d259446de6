import { Option } from 'commander';
import { CliError, ExitCode } from '../errors.ts';
import type { BatchElement } from './batch-writer.ts';

/**
 * One value as it is exported, in either format: a JSON object per line (NDJSON), or a row of CSV. A batch takes
 * all of it but `version`, which only the cluster gives, and `expiresAt`, which becomes a `ttl`.
 */
export interface ValueRecord {
  readonly key: string;
  /** Milliseconds since 1970, or RFC 3339 with a zone in a file that somebody else wrote. */
  readonly time?: number | string;
  readonly version?: number;
  /** Text, or any JSON in a file that somebody else wrote; else `base64` or `delete`. */
  readonly value?: unknown;
  readonly base64?: string;
  readonly delete?: true;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

const FORMATS = ['ndjson', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** In CSV a row with neither value nor base64 is a delete, as an empty payload is. */
export const CSV_COLUMNS = ['key', 'time', 'version', 'value', 'base64', 'expiresAt'] as const;

const TTL_SECONDS_MAX = 10 * 365 * 86_400;

export function formatOption(): Option {
  const description = 'by default ndjson, or csv for a file of that name';
  return new Option('--format <format>', description).choices(FORMATS);
}

export function formatOf(path: string | undefined, given: Format | undefined): Format {
  return given ?? (path?.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson');
}

/** Values with a line break go as base64, so that a row is a line and a file can be cut after any of them. */
export function toCsvRow(record: ValueRecord): string[] {
  const { key, time = '', version = '', value, expiresAt = '' } = record;
  const text = typeof value === 'string' ? value : '';
  const isBroken = /[\r\n]/.test(text);
  const base64 = isBroken ? Buffer.from(text).toString('base64') : (record.base64 ?? '');
  return [key, String(time), String(version), isBroken ? '' : text, base64, String(expiresAt)];
}

/** Of a parsed line of NDJSON or row of CSV. Throws a `CliError` that names its place. */
export function toRecord(fields: unknown, place: string): ValueRecord {
  const { key, base64 } = (fields ?? {}) as Record<string, unknown>;
  if (typeof fields !== 'object' || typeof key !== 'string') {
    throw malformed(`${place} has no "key"`);
  }
  if (base64 !== undefined && typeof base64 !== 'string') {
    throw malformed(`${place}: "base64" must be a string`);
  }
  return fields as ValueRecord;
}

export function fromCsvRow(row: Readonly<Record<string, string>>, place: string): ValueRecord {
  const { key = '', time = '', version = '', value = '', base64 = '', expiresAt = '' } = row;
  if (key === '') throw malformed(`${place} has no key`);
  if (value !== '' && base64 !== '') throw malformed(`${place} has a value and base64 too`);
  return {
    key,
    ...(time === '' ? {} : { time: /^-?\d+(\.\d+)?$/.test(time) ? Number(time) : time }),
    ...(version === '' ? {} : { version: Number(version) }),
    ...(value !== '' ? { value } : base64 !== '' ? { base64 } : { delete: true }),
    ...(expiresAt === '' ? {} : { expiresAt: Number(expiresAt) }),
  };
}

/**
 * What a batch takes of a record. One that has expired meanwhile gets the shortest `ttl` there is: it enters the
 * history, and if it is the newest value of its key it ends at once.
 */
export function toElement(record: ValueRecord, nowMs: number): BatchElement {
  const { version: _version, expiresAt, ...element } = record;
  if (expiresAt === undefined || element.delete) return element;
  const seconds = (expiresAt - nowMs) / 1000;
  return { ...element, ttl: Math.min(TTL_SECONDS_MAX, Math.max(0.001, seconds)) };
}

/** A line of the input is not what it should be. */
export function malformed(message: string, cause?: unknown): CliError {
  return new CliError(ExitCode.failure, 'MALFORMED_INPUT', message, { cause });
}
