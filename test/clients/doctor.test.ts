import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeCluster, type NodeAnswer } from '../../clients/cli/doctor/cluster.ts';
import { examineAccess } from '../../clients/cli/doctor/configuration.ts';
import { judgeMount, judgeSpace, judgeSyncs, mountOf } from '../../clients/cli/doctor/disk.ts';
import type { Finding } from '../../clients/cli/doctor/finding.ts';
import { judgeMemory, judgeNodeVersion, judgeOpenFiles } from '../../clients/cli/doctor/machine.ts';
import { examinePort } from '../../clients/cli/doctor/ports.ts';
import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { certificates } from '../support/certificates.ts';
import { startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

const MIB = 1024 ** 2;
const stateOf = (finding: Finding | undefined) => finding?.state;
const named = (findings: readonly Finding[], check: string) =>
  findings.filter((finding) => finding.check === check);

describe('what dss doctor thinks of a machine', () => {
  it.each([
    ['18.20.0', 'problem'],
    ['20.18.3', 'problem'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
  ])('with Node.js %s', (version, state) => {
    expect(stateOf(judgeNodeVersion(version))).toBe(state);
  });

  it('depends on memory, files, room on the disk and how fast it syncs', () => {
    const memory = (mib: number) =>
      stateOf(judgeMemory({ availableBytes: mib * MIB, totalBytes: 1024 * MIB }));
    expect([memory(64), memory(128), memory(512)]).toEqual(['problem', 'warning', 'ok']);
    const files = (count: number) => stateOf(judgeOpenFiles(count));
    expect([files(256), files(1024), files(65_536)]).toEqual(['problem', 'warning', 'ok']);
    const space = (freeMib: number, totalMib: number) =>
      stateOf(judgeSpace('/', { freeBytes: freeMib * MIB, totalBytes: totalMib * MIB }));
    expect([space(10, 100), space(2_000, 30_000), space(500, 2_000), space(5_000, 30_000)]).toEqual(
      ['problem', 'warning', 'warning', 'ok'],
    );
    const syncs = (...times: number[]) => stateOf(judgeSyncs('/', times));
    expect([syncs(1, 2, 500), syncs(30, 1, 40), syncs(120, 130, 140)]).toEqual([
      'ok',
      'warning',
      'problem',
    ]);
  });

  it('depends on what kind of disk it is', () => {
    const mountinfo = [
      '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/sda rw',
      '30 22 0:40 / /srv rw shared:2 - nfs4 nas:/export rw',
      '31 30 0:41 / /srv/my\\040data rw - tmpfs tmpfs rw',
      '32 22 0:42 / /layer rw - overlay overlay rw',
    ].join('\n');
    const kind = (path: string) => judgeMount(mountOf(path, mountinfo)).map(({ state }) => state);
    expect(mountOf('/home/dss', mountinfo)).toMatchObject({ type: 'ext4', device: '254:0' });
    expect(kind('/home/dss')).toEqual(['ok']);
    expect(kind('/srv/dss')).toEqual(['warning']);
    expect(kind('/srvother')).toEqual(['ok']);
    expect(kind('/srv/my data/n1')).toEqual(['problem']);
    expect(kind('/layer/x')).toEqual(['warning']);
    expect(judgeMount(mountOf('/', ''))).toEqual([]);
  });

  it('depends on who could use a node here', () => {
    const user = { name: 'a' } as never;
    const states = (access: object) =>
      examineAccess({ users: [], tls: undefined, listen: '127.0.0.1', ...access }, Date.now()).map(
        ({ check, state }) => `${check} ${state}`,
      );
    expect(states({})).toEqual(['users ok']);
    expect(states({ listen: '0.0.0.0' })).toEqual(['users warning']);
    expect(states({ listen: '0.0.0.0', users: [user] })).toEqual(['users ok', 'tls warning']);
    const tls = { cert: readFileSync(certificates.node.cert) } as never;
    expect(states({ users: [user], tls })).toEqual(['users ok', 'tls ok']);
    const later = Date.now() + 400 * 365 * 86_400_000;
    const access = { listen: '127.0.0.1', users: [], tls };
    expect(named(examineAccess(access, later), 'tls')).toMatchObject([{ state: 'problem' }]);
  });
});

describe('what dss doctor thinks of a port', () => {
  it('is that it is free, taken by a node, or by whom', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const wanted = { check: 'mqtt-port', host: '127.0.0.1', port } as const;
    const taken = await examinePort({ ...wanted, isNode: async () => false });
    expect(taken).toMatchObject({ state: 'problem', message: expect.stringContaining('taken by') });
    expect(taken.message).toContain(`process ${process.pid}`);
    expect(taken.advice).toContain('--mqtt-port');
    const ours = await examinePort({ ...wanted, isNode: async () => true });
    expect(ours).toMatchObject({ state: 'ok', message: expect.stringContaining('a node of DSS') });
    await new Promise((resolve) => server.close(resolve));
    const free = await examinePort({ ...wanted, isNode: async () => false });
    expect(free).toMatchObject({ state: 'ok', message: expect.stringContaining('is free') });
    const elsewhere = await examinePort({
      ...{ ...wanted, host: '192.0.2.1' },
      isNode: async () => false,
    });
    expect(elsewhere).toMatchObject({ state: 'problem' });
    expect(elsewhere.advice).toContain('--listen');
  });
});

describe('what dss doctor thinks of a cluster', () => {
  const row = (name: string, others: object = {}) => ({
    ...{ id: name, name, state: 'active', mqtt: `${name}:1883`, http: `${name}:8080` },
    ...{ version: '1.0.0', lastHeardMs: 400, ...others },
  });
  const answer = (name: string, status: object = {}, aheadMs = 3): NodeAnswer => ({
    status: {
      node: { id: name, name, mqtt: `${name}:1883`, http: `${name}:8080` },
      cluster: { id: 'c', state: 'ok', durability: { copies: 2, replicas: 3 } },
      ...{ nodes: ['n1', 'n2', 'n3'].map((each) => row(each)), shards: [], alerts: [] },
      ...status,
    } as unknown as StatusDocument,
    ...{ tookMs: 4, aheadMs },
  });
  const well = ['n1', 'n2', 'n3'].map((name) => answer(name));
  const judge = (nodes: readonly NodeAnswer[], others: object = {}) =>
    judgeCluster({ nodes, silent: [], mqttProblems: new Map(), ...others }, '1.0.0');

  it('is that all is well', () => {
    const findings = judge(well);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      ...['cluster', 'reach', 'reach', 'reach'],
      ...['between-nodes', 'clocks', 'versions', 'alerts'],
    ]);
  });

  it.each([
    ['degraded', 'warning'],
    ['no-quorum', 'problem'],
    ['forming', 'warning'],
  ])('depends on its state: %s', (state, expected) => {
    const cluster = { state, durability: { copies: 1, replicas: 3 } };
    expect(named(judge([answer('n1', { cluster })]), 'cluster')).toMatchObject([
      { state: expected },
    ]);
  });

  it('names nodes that cannot be reached, over HTTP or MQTT', () => {
    const silent = [{ node: 'n3', why: 'no answer in time' }];
    const mqttProblems = new Map([['n2', 'nothing listens there']]);
    const findings = named(judge(well.slice(0, 2), { silent, mqttProblems }), 'reach');
    expect(findings.map(({ state }) => state)).toEqual(['ok', 'problem', 'problem']);
    expect(findings[1]?.message).toContain('MQTT does not: nothing listens there');
    expect(findings[2]).toMatchObject({
      ...{ message: 'n3: no answer in time', advice: expect.stringContaining('n3:8080') },
    });
  });

  it('names nodes that do not hear each other', () => {
    const nodes = [row('n1'), row('n2', { lastHeardMs: 9_000 }), row('n3', { state: 'dead' })];
    const [finding] = named(judge([answer('n1', { nodes }), answer('n2')]), 'between-nodes');
    expect(finding).toMatchObject({ state: 'problem', message: 'n1 hears nothing of n2 for 9s' });
    expect(finding?.advice).toContain('n2:1883');
  });

  it('compares clocks and versions', () => {
    const clocks = (...ahead: number[]) =>
      stateOf(named(judge(ahead.map((ms) => answer('n1', {}, ms))), 'clocks')[0]);
    expect([clocks(-300, 300), clocks(1_500), clocks(-40_000, 40_000)]).toEqual([
      'ok',
      'warning',
      'problem',
    ]);
    const nodes = [row('n1'), row('n2', { version: '1.1.0' })];
    expect(named(judge([answer('n1', { nodes })]), 'versions')).toMatchObject([
      { state: 'warning', message: 'they differ: n1 1.0.0, n2 1.1.0; here 1.0.0' },
    ]);
  });

  it('passes on what nodes raise alerts about', () => {
    const alert = { message: 'It is full.', advice: 'Make room.' };
    const alerts = [
      { ...alert, severity: 'critical' },
      { ...alert, severity: 'warning' },
    ];
    expect(named(judge([answer('n1', { alerts })]), 'alerts')).toMatchObject([
      { state: 'problem', ...alert },
      { state: 'warning' },
    ]);
  });
});

describe('dss doctor', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-doctor-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const nobody = ['--http', 'http://127.0.0.1:1'];
  const here = () => ['--data', join(directory, 'n1'), '--mqtt-port', '0', '--http-port', '0'];

  it('works without any node, and leaves nothing behind', async () => {
    const { stdout, stderr } = await runCommand(['doctor', ...here(), ...nobody, '--json']);
    expect(stderr).toBe('');
    const { state, findings } = JSON.parse(stdout) as { state: string; findings: Finding[] };
    const checks = findings.map(({ check }) => check);
    for (const check of ['node-version', 'memory', 'disk-space', 'fsync', 'users']) {
      expect(checks).toContain(check);
    }
    expect(findings.at(-1)).toMatchObject({ check: 'cluster', state: 'warning' });
    expect(['warning', 'problem']).toContain(state);
    for (const finding of findings) {
      expect(finding.advice === '', finding.message).toBe(finding.state === 'ok');
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('says what to do in the line below, and ends with 1 where there is a problem', async () => {
    const file = join(directory, 'node.yaml');
    await writeFile(file, 'wieght: 3');
    const { code, stdout } = await runCommand(['doctor', '--config', file, ...nobody]);
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    const at = lines.findIndex((line) => /^configuration +problem +.*wieght/.test(line));
    expect(lines[at + 1]).toMatch(/^ {4}→ Correct that/);
    expect(stdout).toMatch(/\d problems?, \d warnings?\.\n$/);
  });

  it('wants to know who asks, where nodes do', async () => {
    const server = createHttpServer((_, response) => {
      response.writeHead(401, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'BAD_CREDENTIALS', detail: 'it wants a user' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const args = ['doctor', ...here(), '--http', `http://127.0.0.1:${port}`, '--json'];
    const { findings } = JSON.parse((await runCommand(args)).stdout);
    expect(findings.at(-1)).toMatchObject({
      ...{ check: 'cluster', state: 'warning', message: expect.stringContaining('wants a user') },
      advice: expect.stringContaining('--user'),
    });
    server.close();
  });

  it('asks the nodes that it can reach', async () => {
    const status = {
      node: { id: 'a', name: 'n1', mqtt: '', http: '' },
      cluster: { id: 'c', state: 'ok', durability: { copies: 1, replicas: 1 } },
      ...{ nodes: [], shards: [], alerts: [], process: { timeMs: Date.now() } },
    };
    const node = await startFakeNode(status);
    try {
      status.node.mqtt = node.url.replace('mqtt://', '');
      const args = ['doctor', ...here(), '--http', node.http, '--json'];
      const { findings } = JSON.parse((await runCommand(args)).stdout);
      expect(named(findings, 'reach')).toMatchObject([{ state: 'ok' }]);
      node.qosMax = () => 2;
      const again = JSON.parse((await runCommand(args)).stdout);
      expect(named(again.findings, 'reach')).toMatchObject([
        { state: 'problem', message: expect.stringContaining('not a node of DSS') },
      ]);
    } finally {
      await node.close();
    }
  });
});
