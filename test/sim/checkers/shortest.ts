import type { Operation } from './history.ts';
import { linearize } from './linearizability.ts';

/** A search for a shorter history may give up sooner: then that one is not taken. */
const STEPS_MAX = 100_000;

/**
 * A short history of one key that is not linearizable, made of one that is not: cut off where it first fails,
 * and without the operations that it fails without. A write is left out only if nothing that stays can have seen
 * it or what it hid, so whatever is left could not have happened in the whole history either.
 */
export function shortestFailing(operations: readonly Operation[]): readonly Operation[] {
  let shortest = cutWhereItFails(operations);
  for (let before = -1; before !== shortest.length; ) {
    before = shortest.length;
    for (const operation of shortest) {
      const rest = shortest.filter((other) => other !== operation);
      if (mayBeLeftOut(operation, rest) && fails(rest)) shortest = rest;
    }
  }
  return shortest;
}

function fails(operations: readonly Operation[]): boolean {
  return linearize(operations, STEPS_MAX).kind === 'violation';
}

/** As it stood when a return was the first to contradict it: later calls are gone, later returns not known. */
function cutWhereItFails(operations: readonly Operation[]): readonly Operation[] {
  const ends = operations
    .map(({ returnedAt }) => returnedAt)
    .filter((returnedAt) => returnedAt !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
  let passes = 0;
  let failing = ends.length;
  while (failing - passes > 1) {
    const middle = (passes + failing) >> 1;
    if (fails(asOf(operations, ends[middle - 1] as number))) failing = middle;
    else passes = middle;
  }
  const cut = asOf(operations, ends[failing - 1] ?? 0);
  return fails(cut) ? cut : operations;
}

function asOf(operations: readonly Operation[], end: number): Operation[] {
  return operations
    .filter(({ calledAt }) => calledAt < end)
    .map((operation) => {
      if (operation.returnedAt <= end) return operation;
      const never = Number.POSITIVE_INFINITY;
      const outcome = { kind: 'unknown' } as const;
      return { ...operation, outcome, returnedAt: never, returnedAtMs: never };
    });
}

function mayBeLeftOut(operation: Operation, rest: readonly Operation[]): boolean {
  const { request, outcome } = operation;
  if (request.kind === 'get' || outcome.kind === 'lost') return true;
  return rest.every((other) => !mayHaveSeen(other, operation));
}

/** Whether what an operation was told may come from this write being there, or from what it left absent. */
function mayHaveSeen({ request, outcome }: Operation, write: Operation): boolean {
  if (write.request.kind === 'get' || request.kind === 'put') return false;
  const { value } = write.request;
  if (request.kind === 'get')
    return outcome.kind === 'found' ? outcome.value === value : value === '';
  const version = 'version' in write.outcome ? write.outcome.version : 0;
  const seen = [request.ifVersion, 'version' in outcome ? outcome.version : request.ifVersion];
  if (value === '') return seen.includes(null);
  return version === 0 || version === null || seen.includes(version);
}
