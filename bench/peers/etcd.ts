import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../free-ports.ts';

const PROGRAMS = ['etcd', '/usr/bin/etcd'];
const START_TIMEOUT_MS = 30_000;
const HEALTH_TIMEOUT_MS = 1_000;

/** Three or more members of a stock etcd with their data on disk; each write is synced by a quorum. */
export interface EtcdCluster {
  readonly version: string;
  /** Of its HTTP gateways. */
  readonly httpPorts: readonly number[];
  readonly processIds: readonly number[];
  close(): Promise<void>;
}

/** Undefined when it is not installed (Debian: `apt-get install etcd-server`). */
export async function startEtcd(
  directory: string,
  memberCount: number,
): Promise<EtcdCluster | undefined> {
  const found = findProgram();
  if (found === undefined) return undefined;
  const ports = await freePorts(memberCount * 2);
  const httpPorts = ports.slice(0, memberCount);
  const peers = ports.slice(memberCount).map((port) => `http://127.0.0.1:${port}`);
  const members = httpPorts.map((port, i) =>
    start(found.program, directory, { name: `e${i + 1}`, port, peers, peer: peers[i] as string }),
  );
  const close = async () => {
    await Promise.all(members.map(end));
  };
  try {
    await Promise.all(httpPorts.map((port, i) => untilHealthy(members[i] as ChildProcess, port)));
  } catch (error) {
    await close();
    throw error;
  }
  const processIds = members.map(({ pid }) => pid ?? 0);
  return { version: found.version, httpPorts, processIds, close };
}

function start(
  program: string,
  directory: string,
  member: { name: string; port: number; peer: string; peers: readonly string[] },
): ChildProcess {
  const { name, port, peer, peers } = member;
  const client = `http://127.0.0.1:${port}`;
  const options = {
    name,
    'data-dir': join(directory, name),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': peers.map((url, i) => `e${i + 1}=${url}`).join(','),
    'log-level': 'error',
  };
  const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
  // A session of its own, as `dss up` gives to each of its nodes: Linux shares the cores out among sessions.
  return spawn(program, args, { stdio: 'ignore', detached: true });
}

function end(member: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (member.exitCode !== null) return resolve();
    member.once('exit', () => resolve());
    member.kill('SIGTERM');
  });
}

function findProgram(): { program: string; version: string } | undefined {
  for (const program of PROGRAMS) {
    try {
      const printed = execFileSync(program, ['--version'], { encoding: 'utf8' });
      return { program, version: (printed.split('\n')[0] ?? '').replace(' Version:', '') };
    } catch {
      // The next one, if there is one.
    }
  }
  return undefined;
}

/** A member says that it is well once it knows a leader. */
async function untilHealthy(member: ChildProcess, port: number): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal }).catch(
      () => undefined,
    );
    if (answer?.ok === true) return;
    if (member.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error('etcd did not start');
    }
    await delay(50);
  }
}
