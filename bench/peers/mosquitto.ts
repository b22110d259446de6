import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../free-ports.ts';
import { cpuMicrosOf } from '../process-figures.ts';

const START_TIMEOUT_MS = 5_000;

/** A stock Mosquitto that keeps everything in memory, with its limits on messages in flight taken off. */
export interface Mosquitto {
  readonly version: string;
  readonly port: number;
  readonly processId: number;
  /** CPU time used so far, user and system. */
  cpuMicros(): number;
  close(): Promise<void>;
}

/** Undefined when it is not installed (Debian: `apt-get install mosquitto`). */
export async function startMosquitto(directory: string): Promise<Mosquitto | undefined> {
  const program = findProgram();
  if (!program) return undefined;
  const [port] = (await freePorts(1)) as [number];
  const configuration = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
  ];
  const path = join(directory, 'mosquitto.conf');
  await writeFile(path, `${configuration.join('\n')}\n`);
  const child = spawn(program, ['-c', path], { stdio: 'ignore' });
  await waitUntilListening(child, port);
  return {
    version: readVersion(program),
    port,
    processId: child.pid ?? 0,
    cpuMicros: () => cpuMicrosOf(child.pid ?? 0),
    close: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function findProgram(): string | undefined {
  for (const candidate of ['mosquitto', '/usr/sbin/mosquitto']) {
    try {
      execFileSync(candidate, ['-h'], { stdio: 'ignore' });
      return candidate;
    } catch (error) {
      // `mosquitto -h` ends with 3 where it exists.
      if ((error as { code?: string }).code !== 'ENOENT') return candidate;
    }
  }
  return undefined;
}

function readVersion(program: string): string {
  try {
    return execFileSync(program, ['-h'], { encoding: 'utf8' }).split('\n')[0] ?? '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout ?? '').split('\n')[0] ?? '';
  }
}

async function waitUntilListening(child: ChildProcess, port: number): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error('Mosquitto did not start');
    }
    await delay(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
