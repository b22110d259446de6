import { isUnknown, type Operation } from './history.ts';
import {
  EMPTY_REGISTER,
  effectOf,
  nameOf,
  observes,
  type Register,
  step,
  versionsOf,
} from './register.ts';

/**
 * Whether the operations on one key can have happened one after the other, each at some moment between its
 * call and its return (Herlihy and Wing 1990). The search is that of Wing and Gong, 1993, with the memory of
 * Lowe, 2017, in the form of Porcupine: a list of calls and returns from which an operation is lifted when it is
 * put next, and put back when that leads nowhere.
 *
 * Operations of unknown outcome have no return. One has to be put next only if the one after it tells that it
 * was there: an order that holds with an effect which nobody saw holds without it too.
 */
export function linearize(operations: readonly Operation[], stepsMax = 2_000_000): Verdict {
  const telling = operations.filter((each) => !isUnknown(each) || each.request.kind !== 'get');
  return new Search(telling, stepsMax).run();
}

export type Verdict =
  | { readonly kind: 'linearizable'; readonly order: readonly Operation[] }
  /** `longest` is as far as any order got. */
  | { readonly kind: 'violation'; readonly longest: readonly Operation[] }
  /** Not decided within the steps allowed. */
  | { readonly kind: 'undecided' };

/** A call, with its return if it had one, or a return. Twice linked, so that one can be lifted and put back. */
interface Event {
  /** The number of the operation among those given. */
  readonly item: number;
  readonly returnEvent: Event | undefined;
  readonly isCall: boolean;
  previous: Event | undefined;
  next: Event | undefined;
}

/** An operation that was put next, and how to go on if that was wrong. */
interface Choice {
  readonly event: Event;
  readonly branch: number;
  readonly registerBefore: Register;
  readonly unseenBefore: boolean;
}

class Search {
  readonly #operations: readonly Operation[];
  readonly #versions: readonly number[];
  readonly #head: Event;
  readonly #placed: Uint8Array;
  /** Of those that returned, so many are still to be placed. */
  #left: number;
  #register = EMPTY_REGISTER;
  /** What was placed last has an unknown outcome, and is there only to be seen by the next. */
  #unseen = false;
  readonly #choices: Choice[] = [];
  readonly #visited = new Set<string>();
  readonly #stepsMax: number;
  #longest: readonly Operation[] = [];

  constructor(operations: readonly Operation[], stepsMax: number) {
    this.#operations = operations;
    this.#versions = versionsOf(operations);
    this.#head = listOfEvents(operations);
    this.#placed = new Uint8Array(operations.length);
    this.#left = operations.filter((operation) => !isUnknown(operation)).length;
    this.#stepsMax = stepsMax;
  }

  run(): Verdict {
    let event = this.#head.next;
    let branch = 0;
    for (let steps = 0; this.#left > 0; steps++) {
      if (steps > this.#stepsMax) return { kind: 'undecided' };
      if (event?.isCall === true) {
        if (this.#place(event, branch)) event = this.#head.next;
        else event = event.next;
        branch = 0;
        continue;
      }
      if (this.#choices.length > this.#longest.length) this.#longest = this.#order();
      const last = this.#choices.pop();
      if (last === undefined) return { kind: 'violation', longest: this.#longest };
      this.#takeBack(last);
      event = last.event;
      branch = last.branch + 1;
    }
    return { kind: 'linearizable', order: this.#order() };
  }

  /** Puts the operation next, in the first way from `branch` on that was not tried before. */
  #place(event: Event, branch: number): boolean {
    const operation = this.#operations[event.item] as Operation;
    const unknown = isUnknown(operation);
    if (this.#unseen && !observes(operation)) return false;
    if (unknown && branch === 0 && this.#hasTwinBefore(event)) return false;
    const outcomes = step(this.#register, operation, this.#versions[event.item] as number);
    for (let i = branch; i < outcomes.length; i++) {
      const register = outcomes[i] as Register;
      this.#placed[event.item] = 1;
      const name = `${unknown ? '?' : ''}${this.#placedName()} ${nameOf(register)}`;
      if (this.#visited.has(name)) {
        this.#placed[event.item] = 0;
        continue;
      }
      this.#visited.add(name);
      this.#choices.push({
        event,
        branch: i,
        registerBefore: this.#register,
        unseenBefore: this.#unseen,
      });
      this.#register = register;
      this.#unseen = unknown;
      lift(event);
      if (!unknown) this.#left -= 1;
      return true;
    }
    return false;
  }

  #takeBack({ event, registerBefore, unseenBefore }: Choice): void {
    this.#register = registerBefore;
    this.#unseen = unseenBefore;
    this.#placed[event.item] = 0;
    if (!isUnknown(this.#operations[event.item] as Operation)) this.#left += 1;
    putBack(event);
  }

  /** An earlier call that is not placed yet and would do the same. */
  #hasTwinBefore(event: Event): boolean {
    const effect = effectOf(this.#operations[event.item] as Operation);
    for (let at = event.previous; at !== undefined && at !== this.#head; at = at.previous) {
      const other = this.#operations[at.item] as Operation;
      if (at.isCall && isUnknown(other) && effectOf(other) === effect) return true;
    }
    return false;
  }

  /** Which are placed, short: nearly always all the first ones, and a few beyond. */
  #placedName(): string {
    const placed = this.#placed;
    let first = placed.indexOf(0);
    if (first < 0) first = placed.length;
    let name = `${first}`;
    for (let i = placed.indexOf(1, first); i >= 0; i = placed.indexOf(1, i + 1)) name += `,${i}`;
    return name;
  }

  #order(): Operation[] {
    return this.#choices.map(({ event }) => this.#operations[event.item] as Operation);
  }
}

function listOfEvents(operations: readonly Operation[]): Event {
  const events: { readonly at: number; readonly event: Event }[] = [];
  for (const [item, { calledAt, returnedAt, outcome }] of operations.entries()) {
    let returnEvent: Event | undefined;
    if (outcome.kind !== 'unknown') {
      returnEvent = {
        item,
        isCall: false,
        returnEvent: undefined,
        previous: undefined,
        next: undefined,
      };
      events.push({ at: returnedAt, event: returnEvent });
    }
    const event = { item, isCall: true, returnEvent, previous: undefined, next: undefined };
    events.push({ at: calledAt, event });
  }
  events.sort((a, b) => a.at - b.at);
  const head: Event = {
    item: -1,
    isCall: false,
    returnEvent: undefined,
    previous: undefined,
    next: undefined,
  };
  let last = head;
  for (const { event } of events) {
    last.next = event;
    event.previous = last;
    last = event;
  }
  return head;
}

function lift(event: Event): void {
  unlink(event);
  if (event.returnEvent !== undefined) unlink(event.returnEvent);
}

/** In the opposite order, so that the neighbours are those that there were. */
function putBack(event: Event): void {
  if (event.returnEvent !== undefined) relink(event.returnEvent);
  relink(event);
}

function unlink(event: Event): void {
  if (event.previous !== undefined) event.previous.next = event.next;
  if (event.next !== undefined) event.next.previous = event.previous;
}

function relink(event: Event): void {
  if (event.previous !== undefined) event.previous.next = event;
  if (event.next !== undefined) event.next.previous = event;
}
