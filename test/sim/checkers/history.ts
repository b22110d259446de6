/**
 * What clients asked for and were told: the only thing that linearizability is judged by. Every transmission is
 * an operation of its own, a repeated one too: nothing promises that it has no effect.
 */
export interface Operation {
  readonly id: number;
  readonly client: string;
  readonly key: string;
  readonly request: Request;
  /** Places in the order of all calls and returns of a run: those of one millisecond are ordered too. */
  readonly calledAt: number;
  readonly calledAtMs: number;
  outcome: Outcome;
  returnedAt: number;
  returnedAtMs: number;
}

export type Request =
  /** An empty value deletes. */
  | { readonly kind: 'put'; readonly value: string }
  | {
      readonly kind: 'cas';
      readonly value: string;
      /** Of the value that must be current; null: there must be none. */
      readonly ifVersion: number | null;
      /** A request with the same token wins again while its value is current. */
      readonly token: string;
    }
  | { readonly kind: 'get' };

export type Outcome =
  /** It may have had its effect at any time since the call, may have it later, or never. */
  | { readonly kind: 'unknown' }
  /** It had no effect and never will. */
  | { readonly kind: 'failed' }
  /** Version 0: it was in already, and its version is not known any more. */
  | { readonly kind: 'written'; readonly version: number }
  | { readonly kind: 'won'; readonly version: number }
  | { readonly kind: 'lost'; readonly version: number | null }
  | { readonly kind: 'found'; readonly value: string; readonly version: number }
  | { readonly kind: 'not-found' };

const UNKNOWN: Outcome = { kind: 'unknown' };
const NEVER = Number.POSITIVE_INFINITY;

/** The operations of a run, in the order of their calls. */
export class History {
  readonly operations: Operation[] = [];
  readonly #nowMs: () => number;
  #order = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  call(client: string, key: string, request: Request): Operation {
    const operation: Operation = {
      id: this.operations.length,
      client,
      key,
      request,
      calledAt: this.#order++,
      calledAtMs: this.#nowMs(),
      outcome: UNKNOWN,
      returnedAt: NEVER,
      returnedAtMs: NEVER,
    };
    this.operations.push(operation);
    return operation;
  }

  /** The client was told. Who was told nothing leaves the outcome unknown for ever. */
  return(operation: Operation, outcome: Outcome): void {
    operation.outcome = outcome;
    if (outcome.kind === 'unknown') return;
    operation.returnedAt = this.#order++;
    operation.returnedAtMs = this.#nowMs();
  }

  /** Keys do not depend on each other: each has a history of its own (Herlihy and Wing 1990, locality). */
  byKey(): Map<string, Operation[]> {
    const keys = new Map<string, Operation[]>();
    for (const operation of this.operations) {
      if (operation.outcome.kind === 'failed') continue;
      const one = keys.get(operation.key);
      if (one === undefined) keys.set(operation.key, [operation]);
      else one.push(operation);
    }
    return keys;
  }
}

export function isUnknown(operation: Operation): boolean {
  return operation.outcome.kind === 'unknown';
}
