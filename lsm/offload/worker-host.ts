import { type ResourceLimits, Worker } from 'node:worker_threads';
import { LsmError } from '../errors.ts';
import { errorOf, type JobResponse } from './messages.ts';
import type { JobName, Offload } from './offload.ts';

export interface WorkerOffloadOptions {
  /** Of the thread; see `node:worker_threads`. By default its heap is kept small. */
  readonly resourceLimits?: ResourceLimits;
}

/**
 * Runs jobs in one worker thread, which has the real file system; a flush comes first (`Courtesy`). It starts with the
 * first job; when it crashes its jobs fail, and the next job starts another.
 */
export class WorkerOffload implements Offload {
  readonly #resourceLimits: ResourceLimits;
  readonly #pending = new Map<number, PendingJob>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;

  constructor({ resourceLimits = RESOURCE_LIMITS }: WorkerOffloadOptions = {}) {
    this.#resourceLimits = resourceLimits;
  }

  run(job: JobName, input: unknown): Promise<unknown> {
    if (this.#closed) return Promise.reject(new LsmError('ENGINE_CLOSED', 'the offload is closed'));
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, job, input });
    });
  }

  /** Ends the thread; jobs still in it are rejected. Close the engine first. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#rejectAll(new LsmError('ENGINE_CLOSED', 'the offload was closed'));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      resourceLimits: this.#resourceLimits,
      // None of the process: some, such as `--input-type` and `--expose-gc`, a thread refuses.
      execArgv: [],
    });
    worker.on('message', (response: JobResponse) => this.#settle(response));
    worker.on('error', (error) => this.#crashed(worker, error));
    worker.on('exit', (code) => this.#crashed(worker, new Error(`the worker exited with ${code}`)));
    return worker;
  }

  #settle(response: JobResponse): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    // A thread that waits for work keeps no program from ending.
    if (this.#pending.size === 0) this.#worker?.unref();
    if ('failure' in response) pending?.reject(errorOf(response.failure));
    else pending?.resolve(response.output);
  }

  #crashed(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#rejectAll(new LsmError('ENGINE_FAILED', 'the worker thread crashed', { cause }));
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

interface PendingJob {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Left to itself a thread collects so rarely that it takes 100 MiB more: jobs make much garbage and keep little. */
const RESOURCE_LIMITS: ResourceLimits = {
  maxYoungGenerationSizeMb: 2,
  maxOldGenerationSizeMb: 128,
};
