import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { eventually } from '../support/eventually.ts';
import { dssJson } from './support/clients.ts';
import {
  dss,
  dssScript,
  type RunningProcess,
  startProcess,
  temporaryDirectory,
} from './support/processes.ts';

interface NodesDocument {
  readonly nodes: readonly { name: string; state: string; health: string; mqtt: string }[];
}

/** A cluster that begins with one node and grows. Its tests run in order. */
describe('a cluster that grows', () => {
  let directory: string;
  let ports: number[];
  let token: string;
  const processes: RunningProcess[] = [];
  beforeAll(async () => {
    directory = await temporaryDirectory();
    ports = await freePorts(6);
  });
  afterAll(async () => {
    for (const { child } of processes) child.kill('SIGKILL');
    await Promise.all(processes.map(({ exited }) => exited));
    await rm(directory, { recursive: true, force: true });
  });

  const mqttOf = (ordinal: number) => `127.0.0.1:${ports[ordinal - 1]}`;
  const httpOf = (ordinal: number) => `http://127.0.0.1:${ports[ordinal + 2]}`;
  const dataOf = (ordinal: number) => join(directory, `n${ordinal}`);
  const argsOf = (ordinal: number, ...flags: string[]) => [
    ...['node', '--name', `n${ordinal}`, '--data', dataOf(ordinal), '--shards', '4'],
    ...['--mqtt-port', `${ports[ordinal - 1]}`, '--http-port', `${ports[ordinal + 2]}`],
    ...flags,
  ];
  const start = async (ordinal: number, ...flags: string[]) => {
    const started = startProcess(process.execPath, [dssScript, ...argsOf(ordinal, ...flags)]);
    processes.push(started);
    await started.line(/is ready/);
    return started;
  };
  const nodes = async (ordinal: number) =>
    ((await dssJson(['nodes', '--http', httpOf(ordinal)])) as unknown as NodesDocument).nodes;

  it('begins with one, and lets others in by a token', async () => {
    await start(1, '--bootstrap');
    token = (await dss(['token', '--data', dataOf(1)])).stdout.trim();
    expect(token).toMatch(/^dss1\./);
    await start(2, '--join', mqttOf(1), '--token', token, '--zone', 'east');
    await eventually('both hear each other', async () => {
      const all = [...(await nodes(1)), ...(await nodes(2))];
      return all.length === 4 && all.every(({ health }) => health === 'active') ? true : undefined;
    });
    await dss(['put', 'k', 'v', '--node', `mqtt://${mqttOf(2)}`]);
    const got = await dssJson(['get', 'k', '--node', `mqtt://${mqttOf(1)}`]);
    expect(got).toMatchObject({ value: 'v' });
  });

  it('refuses who has the wrong secret or a name that is taken, in one sentence', async () => {
    const wrong = 'not the secret of this cluster';
    const stranger = await dss(argsOf(3, '--join', mqttOf(1), '--secret', wrong));
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toMatch(/secret/);
    const flags = argsOf(3, '--join', mqttOf(2), '--token', token, '--name', 'n1');
    const double = await dss(flags);
    expect(double).toMatchObject({ code: 1, stderr: expect.stringContaining('--replace n1') });
  });

  it('knows a node again that starts with nothing but its directory, at another port', async () => {
    const second = processes[1] as RunningProcess;
    second.child.kill('SIGKILL');
    await second.exited;
    ports[1] = (await freePorts(1))[0] as number;
    await start(2);
    await eventually('n1 has it at its new place', async () => {
      const row = (await nodes(1)).find(({ name }) => name === 'n2');
      return row?.mqtt === mqttOf(2) && row.health === 'active' ? true : undefined;
    });
  });

  it('has a node replaced, which ends with an exit code of its own', async () => {
    const second = processes.at(-1) as RunningProcess;
    await start(3, '--join', mqttOf(1), '--token', token, '--name', 'n2', '--replace', 'n2');
    expect(await second.exited).toEqual({ code: 6, signal: null });
    expect(second.stderr.at(-1)).toMatch(/has removed this node, n2/);
    const again = await dss(argsOf(2));
    expect(again.code).toBe(6);
    expect(again.stderr).toMatch(/has removed this node, n2/);
  });

  it('is told which node is to leave', async () => {
    const left = await dssJson(['node', 'leave', 'n2', '--http', httpOf(1)]);
    expect(
      (left as unknown as NodesDocument).nodes.find(({ state }) => state === 'leaving')?.name,
    ).toBe('n2');
    const last = await dss(['node', 'leave', 'n1', '--http', httpOf(1)]);
    expect(last).toMatchObject({ code: 1, stderr: expect.stringContaining('the last node') });
  });
});
