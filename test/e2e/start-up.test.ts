import { cp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { dssJson, publish, subscribe } from './support/clients.ts';
import { dss, type FinishedProcess, temporaryDirectory } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** One clear sentence on stderr, nothing on stdout, an exit code that is not 0. */
function expectSentence({ code, stdout, stderr }: FinishedProcess, ...patterns: RegExp[]): void {
  const lines = stderr.split('\n').filter((line) => !line.startsWith('{'));
  expect(lines).toHaveLength(1);
  for (const pattern of patterns) expect(lines[0]).toMatch(pattern);
  expect(stdout).toBe('');
  expect(code).toBe(1);
}

describe('a node that cannot start', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(['--mqtt-port', '--http-port'])('says which port is taken: %s', async (flag) => {
    const [taken, free] = (await freePorts(2)) as [number, number];
    const other = createServer().listen(taken, '127.0.0.1');
    const ports = { '--mqtt-port': free, '--http-port': free, [flag]: taken };
    const args = ['node', '--name', 'n1', '--data', join(directory, `taken${flag}`)];
    const flags = Object.entries(ports).flatMap(([name, port]) => [name, String(port)]);
    expectSentence(await dss([...args, ...flags]), new RegExp(`port ${taken}`), /taken/);
    other.close();
  });

  it('says what is wrong with its configuration', async () => {
    const config = join(directory, 'config.yaml');
    const start = () => dss(['node', '--data', join(directory, 'config'), '--config', config]);
    expectSentence(await start(), /config\.yaml/, /cannot be read/);
    await writeFile(config, 'name: [n1\n');
    expectSentence(await start(), /config\.yaml/, /not YAML/);
    await writeFile(config, 'nmae: n1\n');
    expectSentence(await start(), /nmae/, /name/);
    await writeFile(config, 'mqttPort: many\n');
    expectSentence(await start(), /mqttPort/, /whole number/);
  });

  it('says what is wrong with its flags', async () => {
    const usage = await dss(['node', '--mqtt-port', '70000']);
    expect(usage).toMatchObject({ code: 2, stdout: '' });
    expect(usage.stderr).toMatch(/--mqtt-port .* 65535/);
    expectSentence(await dss(['node', '--listen', '0.0.0.0']), /users/, /--anonymous/);
    expectSentence(await dss(['node', '--peers', 'n1=127.0.0.1:1,n2=127.0.0.1:2']), /secret/);
  });
});

describe('a cluster of one', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('stores, reads, and has everything after kill -9', async () => {
    const node = cluster.node(0);
    expect(await publish(node, 'dss/put/alone/temp', '1')).toMatchObject({ code: 0 });
    const status = await dssJson(['status', '--http', node.httpUrl]);
    expect(status).toMatchObject({ cluster: { state: 'ok', durability: { copies: 1 } } });
    await cluster.kill(0);
    cluster.restart(0);
    await cluster.waitForLeaders();
    const reader = subscribe(node, 'dss/value/alone/#', '-C', '1');
    await reader.line(/^1\|dss\/value\/alone\/temp\|1$/);
    await publish(node, 'dss/put/alone/temp', '2');
    expect(await dssJson(['get', 'alone/temp', '--node', node.mqttUrl])).toMatchObject({
      value: '2',
    });
  });

  it('is refused a second process on its data', async () => {
    const [mqttPort, httpPort] = (await freePorts(2)) as [number, number];
    const ports = ['--mqtt-port', String(mqttPort), '--http-port', String(httpPort)];
    const args = ['node', '--name', 'n1', '--data', cluster.node(0).dataDir, ...ports];
    expectSentence(await dss(args), /n1/, /use|lock|running/);
  });
});

describe('a node that does not belong', () => {
  let cluster: TestCluster;
  let stranger: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
    stranger = await TestCluster.start({ nodes: 1 });
    await cluster.kill(2);
    await stranger.kill(0);
  });
  afterAll(async () => {
    await cluster?.close();
    await stranger?.close();
  });
  printLogsOnFailure(() => cluster);

  /** The third node's flags with another data directory. */
  function startOn(dataDir: string): Promise<FinishedProcess> {
    const { args, dataDir: own } = cluster.node(2);
    return dss(args.map((argument) => (argument === own ? dataDir : argument)));
  }

  it("refuses another cluster's data directory", async () => {
    const copy = join(await temporaryDirectory(), 'copy');
    // Without the lock: a socket belongs to it, and `cp` of Node refuses those.
    const isData = (path: string) => !/\/lock(\.\w+)?$/.test(path);
    await cp(stranger.node(0).dataDir, copy, { recursive: true, filter: isData });
    expectSentence(await startOn(copy), /cluster/);
    await rm(copy, { recursive: true });
  });

  it('refuses an empty directory under a name that is taken', async () => {
    const empty = join(await temporaryDirectory(), 'empty');
    expectSentence(await startOn(empty), /name n3 is taken/, /own data directory/);
  });

  it('takes the one back that does', async () => {
    cluster.restart(2);
    await cluster.waitForLeaders();
    expect((await cluster.status(2)).node.name).toBe('n3');
  });
});
