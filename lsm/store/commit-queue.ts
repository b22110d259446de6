import { closedError } from '../errors.ts';
import { WriteBatch } from './write-batch.ts';

export interface CommitQueueOptions {
  /** Makes the operations durable as far as was asked, and then visible. */
  readonly commit: (operations: WriteBatch, sync: boolean) => Promise<void>;
  /** A group that is so large takes no more operations. */
  readonly groupBytesMax: number;
  /** Asked before each group; what it returns is waited for. */
  readonly giveWay: () => Promise<void> | undefined;
}

/**
 * Group commit: operations of one turn of the event loop, and those that come while a group is being written, are
 * written together. Groups are committed one at a time in the order of the calls; so is `exclusive` work.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #steps: Step[] = [];
  /** The last step, if it is a group that still takes operations. */
  #open: Group | undefined;
  #spare: WriteBatch | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #closed = false;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /**
   * The group that takes the next operations; none when the queue is closed. They must be added at once, in the same
   * breath: a group is not split, so what is added without giving way in between happens together or not at
   * all. With `sync` the whole group is synced.
   */
  group(sync = false): Group | undefined {
    const open = this.#open;
    const hasRoom = open !== undefined && open.operations.byteLength < this.#options.groupBytesMax;
    const group = hasRoom ? open : this.#next();
    if (sync && group !== undefined) group.sync = true;
    return group;
  }

  /** Runs when everything before it is committed, and nothing after it is begun before its promise resolves. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedError('the store'));
    this.#open = undefined;
    return new Promise<T>((resolve, reject) => {
      this.#add(() => work().then(resolve, reject));
    });
  }

  /** Takes nothing more and resolves when all that was taken is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#open = undefined;
    await this.#running;
  }

  #next(): Group | undefined {
    if (this.#closed) return undefined;
    const group = new Group(this.#spare ?? new WriteBatch(INITIAL_BYTES));
    this.#spare = undefined;
    this.#open = group;
    this.#add(group);
    return group;
  }

  #add(step: Step): void {
    this.#steps.push(step);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#runAll();
  }

  async #runAll(): Promise<void> {
    for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
      if (step instanceof Group) await this.#runGroup(step);
      else await step();
      this.#steps.shift();
    }
    this.#isRunning = false;
  }

  async #runGroup(group: Group): Promise<void> {
    const turn = this.#options.giveWay();
    if (turn !== undefined) await turn;
    await this.#untilTurnIsOver(group);
    if (this.#open === group) this.#open = undefined;
    try {
      await this.#options.commit(group.operations, group.sync);
      group.resolve();
    } catch (error) {
      group.reject(error);
    }
    group.operations.clear();
    this.#spare = group.operations;
  }

  /**
   * Who was waiting for the group before this one may be about to write more, some promises further on. A few
   * microtasks cost less than a record of one's own.
   */
  async #untilTurnIsOver(group: Group): Promise<void> {
    for (let bytes = -1; this.#open === group && group.operations.byteLength !== bytes; ) {
      bytes = group.operations.byteLength;
      for (let i = 0; i < PROMISES_DEEP; i++) await undefined;
    }
  }
}

const INITIAL_BYTES = 16 * 1024;
const PROMISES_DEEP = 3;

type Step = Group | (() => Promise<void>);

/** Operations that are written together. One promise for all of them. */
export class Group {
  readonly operations: WriteBatch;
  readonly promise: Promise<void>;
  sync = false;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;

  constructor(operations: WriteBatch) {
    this.operations = operations;
    let settle: [() => void, (error: unknown) => void] | undefined;
    this.promise = new Promise<void>((resolve, reject) => {
      settle = [resolve, reject];
    });
    [this.resolve, this.reject] = settle as [() => void, (error: unknown) => void];
  }
}
