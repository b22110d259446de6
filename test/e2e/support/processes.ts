import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { HANGS_MS } from '../../support/eventually.ts';

/** The compiled command line: end-to-end tests run what users run. `DSS_DIST` names another build. */
export const dssScript = join(
  process.env.DSS_DIST ?? fileURLToPath(new URL('../../../dist', import.meta.url)),
  'clients/cli/dss.js',
);

const LOG_LINES_KEPT = 200;

export interface RunningProcess {
  readonly child: ChildProcess;
  /** Everything it wrote, line by line, as it comes. */
  readonly stdout: string[];
  readonly stderr: string[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The first line of stdout, from the beginning, that matches. */
  line(pattern: RegExp): Promise<string>;
}

export interface FinishedProcess {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
// Whatever way a test file ends, none of its processes stays behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function startProcess(
  command: string,
  args: readonly string[],
  options: { environment?: Record<string, string>; input?: string; directory?: string } = {},
): RunningProcess {
  const { DSS_NODE: _node, DSS_HTTP: _http, ...inherited } = process.env;
  const { DSS_TEST_ENGINE: engine } = process.env;
  const child = spawn(command, [...args], {
    // A node stops when this channel closes, so none is left behind, even when the test runner is killed.
    stdio: [
      options.input === undefined ? 'ignore' : 'pipe',
      'pipe',
      'pipe',
      ...(args[0] === dssScript && args[1] === 'node' ? (['ipc'] as const) : []),
    ],
    env: {
      ...inherited,
      ...(engine === undefined ? {} : { DSS_STORAGE_ENGINE: engine }),
      ...options.environment,
    },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
  running.add(child);
  child.stdin?.end(options.input);
  const stdout: string[] = [];
  const stderr: string[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of watchers) watcher();
  };
  createInterface({ input: child.stdout as Readable }).on('line', (line) => {
    stdout.push(line);
    wake();
  });
  createInterface({ input: child.stderr as Readable }).on('line', (line) => {
    stderr.push(line);
    if (stderr.length > LOG_LINES_KEPT) stderr.shift();
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => {
      stderr.push(String(error));
      resolve({ code: -1, signal: null });
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
      wake();
    });
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        watchers.delete(look);
        settle();
      };
      const look = (): void => {
        const found = stdout.find((candidate) => pattern.test(candidate));
        if (found !== undefined) finish(() => resolve(found));
        else if (!running.has(child)) finish(() => reject(new Error(complaint('it ended'))));
      };
      const complaint = (why: string): string =>
        `${command} ${args.join(' ')}: no line ${pattern}: ${why}\n${[...stdout, ...stderr].join('\n')}`;
      const timer = setTimeout(
        () => finish(() => reject(new Error(complaint(`waited ${HANGS_MS} ms`)))),
        HANGS_MS,
      );
      watchers.add(look);
      look();
    });
  return { child, stdout, stderr, exited, line };
}

/** Runs a program to its end. */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: Parameters<typeof startProcess>[2] = {},
): Promise<FinishedProcess> {
  const started = startProcess(command, args, options);
  const { code, signal } = await started.exited;
  const [stdout, stderr] = [started.stdout.join('\n'), started.stderr.join('\n')];
  return { code, signal, stdout, stderr };
}

/** Runs the `dss` command. */
export function dss(
  args: readonly string[],
  options: Parameters<typeof startProcess>[2] = {},
): Promise<FinishedProcess> {
  return runProcess(process.execPath, [dssScript, ...args], options);
}

export async function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'dss-test-'));
}
