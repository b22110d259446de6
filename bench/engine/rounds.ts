import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RoundOptions } from './round.ts';
import type { Figures, RowId } from './rows.ts';
import type { EngineName } from './stores/engines.ts';

export const SERIES_COUNT = 5_000;

export interface ChildTask {
  readonly engine: EngineName;
  readonly cacheBytes: number;
  /** Absent: only whether the engine can be loaded. */
  readonly round?: RoundOptions;
}

export type ChildMessage =
  | {
      readonly kind: 'measured';
      readonly version: string;
      readonly settings: string;
      readonly figures: Figures;
    }
  | { readonly kind: 'failed'; readonly message: string };

export interface EngineResult {
  readonly name: EngineName;
  readonly version: string;
  readonly settings: string;
  /** Of the rounds that it got through. */
  readonly rounds: readonly Figures[];
  /** Why it was not measured, or not in every round. */
  readonly failure?: string;
}

/** All engines with the same number of readings. */
export interface SizeResult {
  readonly readings: number;
  readonly rounds: number;
  readonly engines: readonly EngineResult[];
}

export interface SizeOptions {
  readonly engines: readonly EngineName[];
  readonly readings: number;
  readonly rounds: number;
  readonly rows: readonly RowId[];
  readonly cacheBytes: number;
  /** Where the databases are made, one after the other. */
  readonly directory: string;
  readonly onProgress: (what: string) => void;
}

/** Engines take turns, each time in a fresh process and an empty directory; each round begins with another one. */
export async function runRounds(options: SizeOptions): Promise<SizeResult> {
  const { engines, readings, rounds, cacheBytes, onProgress } = options;
  const results = new Map<EngineName, EngineResult>();
  for (const name of engines) {
    const message = await runChild({ engine: name, cacheBytes });
    if (message.kind === 'measured') {
      const { version, settings } = message;
      results.set(name, { name, version, settings, rounds: [] });
    } else {
      onProgress(`${name} is not available: ${message.message}`);
      const failure = `not available: ${message.message}`;
      results.set(name, { name, version: '', settings: '', rounds: [], failure });
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < engines.length; turn++) {
      const name = engines[(round + turn) % engines.length] as EngineName;
      const before = results.get(name) as EngineResult;
      if (before.version === '') continue;
      const startedMs = performance.now();
      const message = await runOnce(name, options);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
      const where = `${readings.toLocaleString('en')} readings, round ${round + 1} of ${rounds}: ${name}`;
      if (message.kind === 'measured') {
        onProgress(`${where}, ${seconds} s`);
        results.set(name, { ...before, rounds: [...before.rounds, message.figures] });
      } else {
        onProgress(`${where} failed: ${message.message}`);
        results.set(name, { ...before, failure: `round ${round + 1} failed: ${message.message}` });
      }
    }
  }
  return { readings, rounds, engines: [...results.values()] };
}

async function runOnce(engine: EngineName, options: SizeOptions): Promise<ChildMessage> {
  const { readings, rows, cacheBytes } = options;
  await mkdir(options.directory, { recursive: true });
  const directory = await mkdtemp(join(options.directory, 'dss-bench-engine-'));
  try {
    return await runChild({ engine, cacheBytes, round: { directory, readings, rows } });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** From a terminal the child gets them too, and may be gone before they are heard of here. */
const BREAK_OFF: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

function runChild(task: ChildTask): Promise<ChildMessage> {
  const program = fileURLToPath(new URL('./child-process.js', import.meta.url));
  const child = fork(program, { execArgv: ['--expose-gc'] });
  child.send(task);
  return new Promise((resolve) => {
    let last: ChildMessage | undefined;
    const breakOff = (): void => void child.kill('SIGTERM');
    for (const signal of BREAK_OFF) process.once(signal, breakOff);
    child.once('message', (message) => {
      last = message as ChildMessage;
      child.disconnect();
    });
    child.once('error', (error) => resolve({ kind: 'failed', message: error.message }));
    child.once('exit', (code, signal) => {
      for (const each of BREAK_OFF) process.off(each, breakOff);
      if (signal && BREAK_OFF.includes(signal)) {
        // Whoever breaks the bench off does not want to keep gigabytes.
        if (task.round) rmSync(task.round.directory, { recursive: true, force: true });
        process.exit(130);
      }
      const message = `the process ended with ${signal ?? `code ${code}`}`;
      resolve(last ?? { kind: 'failed', message });
    });
  });
}
