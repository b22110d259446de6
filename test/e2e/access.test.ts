import { rm } from 'node:fs/promises';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { caOfTests, certificates } from '../support/certificates.ts';
import { cheapHash } from '../support/password.ts';
import { publish } from './support/clients.ts';
import {
  dss,
  dssScript,
  type FinishedProcess,
  startProcess,
  temporaryDirectory,
} from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const { node: tls, ca } = certificates;
const config = `
tls: {cert: ${tls.cert}, key: ${tls.key}, ca: ${ca}}
users:
  - {name: admin, password: "${cheapHash('of admin')}", read: ['#'], write: ['#']}
  - {name: reader, password: "${cheapHash('of reader')}", read: ['plant1/#']}
`;

describe('a cluster with TLS and users', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    const security = { user: 'admin', password: 'of admin', tls: { ca: caOfTests } };
    cluster = await TestCluster.start({ nodes: 3, shards: 4, config, security });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const as = (user: string | undefined, ...args: string[]): Promise<FinishedProcess> => {
    const environment = {
      DSS_NODE: cluster.node(0).mqttUrl,
      DSS_HTTP: cluster.node(0).httpUrl,
      DSS_CA: ca,
      ...(user === undefined ? {} : { DSS_USER: user, DSS_PASSWORD: `of ${user}` }),
    };
    return dss(args, { environment });
  };

  it('stores and reads, with the nodes talking to each other over TLS', async () => {
    expect(await as('admin', 'put', 'plant1/a', '21.5')).toMatchObject({ code: 0 });
    const got = await as('admin', 'get', 'plant1/a', '--node', cluster.node(2).mqttUrl);
    expect(got).toMatchObject({ code: 0, stdout: '21.5' });
    const { nodes } = await cluster.status(1);
    expect(nodes.map(({ state }) => state)).toEqual(['active', 'active', 'active']);
  });

  it('takes any MQTT client that knows the CA', async () => {
    const flags = ['--cafile', ca, '-u', 'admin', '-P', 'of admin'];
    expect(await publish(cluster.node(1), 'dss/put/plant1/b', '1', ...flags)).toMatchObject({
      code: 0,
    });
    expect(await as('admin', 'get', 'plant1/b')).toMatchObject({ stdout: '1' });
  });

  it('speaks MQTT over WebSocket on its HTTP port, large messages too', async () => {
    const url = `${cluster.node(0).httpUrl.replace('https', 'wss')}/mqtt`;
    const client = await mqtt.connectAsync(url, {
      username: 'admin',
      password: 'of admin',
      ca: caOfTests,
      reconnectPeriod: 0,
    });
    const large = Buffer.alloc(1024 * 1024, 'x');
    const seen = new Promise<Buffer>((resolve) => {
      client.on('message', (topic, payload) => {
        if (topic === 'dss/value/plant1/large') resolve(payload);
      });
    });
    await client.subscribeAsync('dss/value/plant1/large', { qos: 1 });
    await client.publishAsync('dss/put/plant1/large', large, { qos: 1 });
    expect((await seen).equals(large)).toBe(true);
    await client.endAsync();
  });

  it('tells nobody its state without a user, and its rules to administrators only', async () => {
    const stranger = await as(undefined, 'status', '--json');
    expect(stranger).toMatchObject({ code: 1 });
    expect(JSON.parse(stranger.stderr)).toMatchObject({ error: 'BAD_CREDENTIALS' });
    expect(await as('reader', 'status')).toMatchObject({ code: 0 });
    expect(await as('reader', 'where', 'plant1/a')).toMatchObject({ code: 0 });
    const curious = await as('reader', 'retention', 'list', '--json');
    expect(curious).toMatchObject({ code: 1 });
    expect(JSON.parse(curious.stderr)).toMatchObject({ error: 'NOT_ALLOWED' });
    expect(await as('admin', 'retention', 'list')).toMatchObject({ code: 0 });
  });

  it('is not believed by whoever does not know its CA, and does not speak without TLS', async () => {
    const doubtful = await as('admin', 'get', 'plant1/a', '--ca', certificates.self.cert);
    expect(doubtful).toMatchObject({ code: 4 });
    expect(doubtful.stderr).toContain('name the CA with --ca');
    for (const args of [
      ['get', 'plant1/a', '--node', cluster.node(0).mqttUrl.replace('mqtts', 'mqtt')],
      ['status', '--http', cluster.node(0).httpUrl.replace('https', 'http')],
    ]) {
      const plain = await as('admin', ...args);
      expect(plain).toMatchObject({ code: 4 });
      expect(plain.stderr).toContain('if it wants TLS');
    }
  });

  it('goes on when a node is gone, and takes it back', async () => {
    await cluster.kill(2);
    expect(await as('admin', 'put', 'plant1/c', '1')).toMatchObject({ code: 0 });
    cluster.restart(2);
    await cluster.waitForLeaders();
    const got = await as('admin', 'get', 'plant1/c', '--node', cluster.node(2).mqttUrl);
    expect(got).toMatchObject({ code: 0, stdout: '1' });
  });
});

describe('a door to the network', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));

  const up = async (...flags: string[]) => {
    const [mqttPort, httpPort] = await freePorts(2);
    const ports = ['--mqtt-port', String(mqttPort), '--http-port', String(httpPort)];
    return [dssScript, 'up', '--nodes', '1', '--data', directory, ...ports, ...flags];
  };

  it('is not opened without users', async () => {
    const [, ...args] = await up('--listen', '0.0.0.0');
    const { code, stderr } = await dss(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/n1 did not start: --listen is 0\.0\.0\.0.*"users".*--anonymous/);
    await rm(directory, { recursive: true });
  });

  it('is opened to everybody when somebody says so, with a warning', async () => {
    const open = startProcess(process.execPath, await up('--listen', '0.0.0.0', '--anonymous'));
    await open.line(/^DSS is ready/);
    await open.line(/^Warning: everybody who can reach 0\.0\.0\.0 may read, write and delete/);
    await open.line(/^Other machines reach the MQTT ports \d+ at /);
    open.child.kill('SIGINT');
    expect(await open.exited).toEqual({ code: 0, signal: null });
  });
});

describe('dss passwd', () => {
  it('makes a hash of what is typed, and of nothing that is too short', async () => {
    const made = await dss(['passwd'], { input: 'correct horse\nsomething else\n' });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^scrypt:16384:8:5:[\w-]{22}:[\w-]{43}$/);
    expect(await dss(['passwd'], { input: 'short\n' })).toMatchObject({ code: 2, stdout: '' });
    expect(await dss(['passwd'], { input: '' })).toMatchObject({ code: 2, stdout: '' });
  });
});
