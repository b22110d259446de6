import { invalidOption } from './arguments.ts';
import { compareBytes } from './bytes.ts';

/** What one option may be. */
interface OptionRule {
  readonly mustBe: string;
  readonly allows: (value: unknown) => boolean;
}

const whole = (minimum: number, maximum: number): OptionRule => ({
  mustBe: `a whole number from ${minimum} to ${maximum}`,
  allows: (value) =>
    Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
});
const oneOf = (...choices: readonly string[]): OptionRule => ({
  mustBe: `one of ${choices.join(', ')}`,
  allows: (value) => choices.includes(value as string),
});
const aFunction: OptionRule = {
  mustBe: 'a function',
  allows: (value) => typeof value === 'function',
};
const anObject: OptionRule = {
  mustBe: 'an object',
  allows: (value) => typeof value === 'object' && value !== null,
};
const aBoolean: OptionRule = {
  mustBe: 'true or false',
  allows: (value) => typeof value === 'boolean',
};
const aPath: OptionRule = {
  mustBe: 'a path',
  allows: (value) => typeof value === 'string' && value !== '',
};
const ascendingKeys: OptionRule = {
  mustBe: 'an array of Uint8Array, ascending and all different',
  allows: (value) => Array.isArray(value) && value.every(isAfterTheOneBefore),
};

function isAfterTheOneBefore(key: unknown, i: number, keys: readonly unknown[]): boolean {
  if (!(key instanceof Uint8Array)) return false;
  return i === 0 || compareBytes(keys[i - 1] as Uint8Array, key) < 0;
}

const KIB = 1024;
const GIB = KIB ** 3;

/** Of every option of `Db`, `Store` and `DssLevel`, by its name. */
const optionRules = {
  vfs: anObject,
  directory: aPath,
  offload: anObject,
  notePositions: aFunction,
  acceptPositions: aFunction,
  onEvent: aFunction,
  pause: aFunction,
  failsOnFullDisk: aBoolean,
  giveWay: aFunction,
  compactionFilter: anObject,
  seriesSuffixBytes: whole(0, 64),
  isWholeSeriesKey: aFunction,
  keyFilter: aBoolean,
  memtableBytes: whole(1, 4 * GIB),
  frozenMemtablesMax: whole(1, 1000),
  blockSizeBytes: whole(16, 16 * KIB * KIB),
  codec: oneOf('lz4', 'deflate', 'none'),
  blockCacheBytes: whole(0, 1024 * GIB),
  openFilesMax: whole(1, 1_000_000),
  checkTablesAtOpen: aBoolean,
  tableBytes: whole(1, 4 * GIB),
  borders: ascendingKeys,
  level0TablesTrigger: whole(1, 10_000),
  level0TablesSlow: whole(1, 10_000),
  level0TablesMax: whole(1, 10_000),
  compactionMemoryBytes: whole(1, 64 * GIB),
  scrubBytesPerSecond: whole(0, 64 * GIB),
  createIfMissing: aBoolean,
  errorIfExists: aBoolean,
  logFileBytes: whole(1, 4 * GIB),
  compression: aBoolean,
};

export type OptionName = keyof typeof optionRules;

/**
 * Refuses what an option cannot be, and the lack of one that must be there. Names it does not know are not its
 * business: an engine takes of the options what it knows.
 *
 * @throws {LsmError} INVALID_OPTION
 */
export function checkOptions(options: object, required: readonly OptionName[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption('options', options, anObject.mustBe);
  }
  const given = options as Record<string, unknown>;
  for (const name of required) checkOption(name, given[name]);
  for (const name of OPTION_NAMES) {
    if (given[name] !== undefined) checkOption(name, given[name]);
  }
}

/** `calledAs` is what the caller knows it as. */
export function checkOption(name: OptionName, value: unknown, calledAs: string = name): void {
  const { mustBe, allows } = optionRules[name];
  if (!allows(value)) throw invalidOption(calledAs, value, mustBe);
}

const OPTION_NAMES = Object.keys(optionRules) as OptionName[];
