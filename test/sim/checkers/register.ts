import type { Operation } from './history.ts';

/**
 * What one key is for its clients: a register with compare-and-set whose values are numbered. A version that
 * nobody has been told yet is 0 here, and becomes known with the first that is; known ones only grow.
 */
export interface Register {
  /** Empty: there is none. */
  readonly value: string;
  readonly version: number;
  /** Of a compare-and-set that wrote the value. */
  readonly token: string;
  /** The highest version that anything up to here is known to have had. */
  readonly floor: number;
}

export const EMPTY_REGISTER: Register = { value: '', version: 0, token: '', floor: 0 };

/**
 * What the register may be after the operation, with the outcome it had: nothing, if it cannot have had that.
 * `version` is what it gave the value if it wrote one, 0 if nobody knows.
 */
export function step(
  register: Register,
  operation: Operation,
  version: number,
): readonly Register[] {
  const { request, outcome } = operation;
  switch (request.kind) {
    case 'get': {
      if (outcome.kind === 'unknown') return [register];
      if (outcome.kind === 'not-found') return register.value === '' ? [register] : NONE;
      if (outcome.kind !== 'found' || register.value !== outcome.value) return NONE;
      return numbered(register, outcome.version);
    }
    case 'put':
      return written(register, request.value, version, '');
    case 'cas':
      return compareAndSet(register, operation, version);
  }
}

/** Whether the operation can tell anything of what was there before it: a put cannot. */
export function observes({ request }: Operation): boolean {
  return request.kind !== 'put';
}

/**
 * Operations of unknown outcome that do the same have the same name: which of them it was makes no difference,
 * as none has to have ended by any time.
 */
export function effectOf({ id, request }: Operation): string {
  return request.kind === 'put' ? `put ${request.value}` : `${id}`;
}

export function nameOf({ value, version, token, floor }: Register): string {
  return `${value}@${version}>${floor}${token}`;
}

function compareAndSet(
  register: Register,
  { request, outcome }: Operation,
  version: number,
): readonly Register[] {
  if (request.kind !== 'cas') return NONE;
  const { ifVersion, value, token } = request;
  const isRepetition = register.value !== '' && register.token === token;
  switch (outcome.kind) {
    case 'won': {
      const before = matching(register, ifVersion);
      const won = before.flatMap((each) => written(each, value, version, token));
      return isRepetition ? [...won, ...numbered(register, version)] : won;
    }
    case 'lost':
      if (outcome.version === ifVersion) return NONE;
      if (outcome.version === null) return register.value === '' ? [register] : NONE;
      if (register.value === '' || isRepetition) return NONE;
      return numbered(register, outcome.version);
    case 'unknown':
      return matching(register, ifVersion).flatMap((each) => written(each, value, version, token));
    default:
      return NONE;
  }
}

/** The register, if what a condition names may be what it holds. */
function matching(register: Register, ifVersion: number | null): readonly Register[] {
  if (ifVersion === null) return register.value === '' ? [register] : NONE;
  return register.value === '' ? NONE : numbered(register, ifVersion);
}

/** The register with the version of its value known to be this one. */
function numbered(register: Register, version: number): readonly Register[] {
  if (version === 0 || register.version === version) return [register];
  if (register.version !== 0 || version <= register.floor) return NONE;
  return [{ ...register, version, floor: version }];
}

function written(
  { floor }: Register,
  value: string,
  version: number,
  token: string,
): readonly Register[] {
  if (version === 0) return [{ value, version, token, floor }];
  return version > floor ? [{ value, version, token, floor: version }] : NONE;
}

const NONE: readonly Register[] = [];

/**
 * The version that each operation gave what it wrote, 0 where nobody knows. One that was told nobody is known all
 * the same if the value is written by one operation alone and was read: that saves the search from trying what
 * cannot be.
 */
export function versionsOf(operations: readonly Operation[]): number[] {
  const writersOf = new Map<string, number>();
  const readVersions = new Map<string, number>();
  for (const { request, outcome } of operations) {
    if (request.kind !== 'get')
      writersOf.set(request.value, (writersOf.get(request.value) ?? 0) + 1);
    if (outcome.kind === 'found') readVersions.set(outcome.value, outcome.version);
  }
  return operations.map(({ request, outcome }) => {
    const told = outcome.kind === 'written' || outcome.kind === 'won' ? outcome.version : 0;
    if (told !== 0 || request.kind === 'get' || writersOf.get(request.value) !== 1) return told;
    return readVersions.get(request.value) ?? 0;
  });
}
