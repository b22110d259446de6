/**
 * Where flush and compaction run: in a worker thread in production, inline in tests, inline at a later
 * simulated time in the simulator. A job is a function over the vfs; its input and output survive
 * structured clone (plain data, Uint8Array, SharedArrayBuffer).
 */
export interface Offload {
  run(job: JobName, input: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export type JobName = 'flush' | 'compact' | 'rewrite' | 'cut' | 'salvage' | 'load' | 'verify';
