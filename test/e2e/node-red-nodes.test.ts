import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, connect } from '../../clients/client/index.ts';
import { caOfTests, certificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { cheapHash } from '../support/password.ts';
import { type FlowNode, hasNodeRed, installPackage } from './support/node-red.ts';
import { temporaryDirectory } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// Our nodes, as they are packed, under Node-RED's own test helper, with a real cluster that has TLS and users.

const { node: tls, ca } = certificates;
const config = `
tls: {cert: ${tls.cert}, key: ${tls.key}, ca: ${ca}}
users:
  - {name: admin, password: "${cheapHash('of admin')}", read: ['#'], write: ['#']}
  - {name: reader, password: "${cheapHash('of reader')}", read: ['plant1/#']}
`;

type Message = Record<string, unknown>;

/** The part of `node-red-node-test-helper` that is needed here. */
interface Helper {
  init(runtime: string): void;
  load(nodes: readonly unknown[], flow: readonly FlowNode[], credentials: object): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): {
    on(event: 'input', listener: (msg: Message) => void): void;
    receive(msg: Message): void;
  };
}

const load = createRequire(import.meta.url);
const modules = join(import.meta.dirname, 'node-red/node_modules');

/** Whoever has no place in a flow is a configuration node. */
const placed = { z: 'tab', x: 100, y: 100 };

/** One node each, a `helper` behind each output, and what all of them show and throw. */
function flow(urls: readonly string[]): FlowNode[] {
  const cluster = (id: string, addresses = urls.join('\n'), tls = 'tls') => ({
    id,
    type: 'dss-cluster',
    name: '',
    addresses,
    tls,
  });
  const tlsConfig = (id: string, verifyservercert: boolean) => ({
    ...{ id, type: 'tls-config', name: '', cert: '', key: '', ca },
    verifyservercert,
  });
  const of =
    (entry: string) =>
    (id: string, type: string, properties: object = {}) => ({
      id,
      type: `dss ${type}`,
      ...placed,
      name: '',
      cluster: entry,
      ...properties,
      wires: type === 'cas' ? [['won'], ['lost']] : [[`${id} out`]],
    });
  const [ours, readers] = [of('admin'), of('reader')];
  const nodes = [
    ours('in', 'in', { filter: 'plant1/#', snapshot: 'marked', format: 'auto' }),
    ours('changes', 'in', { filter: 'plant1/#', snapshot: 'none', format: 'string' }),
    ours('put', 'put', { key: '', time: 'now', ttl: '' }),
    ours('put with time', 'put', { key: 'plant1/late', time: 'msg', ttl: '60' }),
    ours('get', 'get', { key: '', consistency: '', format: 'auto' }),
    ours('get JSON', 'get', { key: 'plant1/text', consistency: 'eventual', format: 'json' }),
    ours('list', 'list', { prefix: 'plant1', what: 'items', limit: '2', output: 'array' }),
    ours('keys', 'list', { prefix: '', what: 'keys', limit: '', output: 'each' }),
    ours('history', 'history', { key: 'plant1/a', span: '1', spanUnit: 'hours', order: 'asc' }),
    ours('cas', 'cas', { key: 'plant2/job', expect: 'version', ttl: '' }),
    readers('put of reader', 'put', { key: 'plant1/a' }),
    readers('in of reader', 'in', { filter: 'plant2/#' }),
    of('stranger')('put of stranger', 'put', { key: 'plant1/a' }),
    of('nowhere')('put nowhere', 'put', { key: 'plant1/a' }),
    of('careless')('put unverified', 'put', { key: 'plant1/a' }),
    of('')('put without cluster', 'put', { key: 'plant1/a' }),
  ];
  const outputs = [...new Set(nodes.flatMap(({ wires }) => wires.flat()))];
  const sinks = [...outputs, 'caught', 'dots'];
  return [
    { id: 'tab', type: 'tab', label: 'all' },
    tlsConfig('tls', true),
    tlsConfig('tls without', false),
    cluster('admin'),
    cluster('reader'),
    cluster('stranger'),
    cluster('nowhere', 'mqtts://127.0.0.1:1'),
    cluster('careless', undefined, 'tls without'),
    ...nodes,
    { id: 'catch', type: 'catch', ...placed, scope: null, wires: [['caught']] },
    { id: 'status', type: 'status', ...placed, scope: null, wires: [['dots']] },
    ...sinks.map((id) => ({ id, type: 'helper', ...placed, wires: [] })),
  ];
}

const credentials = {
  admin: { user: 'admin', password: 'of admin' },
  reader: { user: 'reader', password: 'of reader' },
  stranger: { user: 'admin', password: 'a guess' },
};

describe.skipIf(!hasNodeRed)('our nodes in Node-RED', () => {
  let cluster: TestCluster;
  let directory: string;
  let client: Client;
  let helper: Helper;
  const received = new Map<string, Message[]>();

  beforeAll(async () => {
    const security = { user: 'admin', password: 'of admin', tls: { ca: caOfTests } };
    cluster = await TestCluster.start({ nodes: 3, shards: 2, config, security });
    const urls = cluster.nodes.map(({ mqttUrl }) => mqttUrl);
    client = await connect(urls, { user: 'admin', password: 'of admin', ca: caOfTests });
    await client.put('plant1/a', 18.25, { time: Date.now() - 60_000 });
    await client.put('plant1/text', 'open');
    directory = await temporaryDirectory();
    const folder = await installPackage(directory);
    const { 'node-red': manifest } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = Object.values(manifest.nodes as Record<string, string>);
    helper = load(join(modules, 'node-red-node-test-helper'));
    helper.init(load.resolve(join(modules, 'node-red')));
    const tlsNode = load(join(modules, '@node-red/nodes/core/network/05-tls.js'));
    const ours = files.map((file) => load(join(folder, file)));
    const nodes = flow(urls);
    await helper.load([tlsNode, ...ours], nodes, credentials);
    for (const { id } of nodes.filter(({ type }) => type === 'helper')) {
      received.set(id, []);
      helper.getNode(id).on('input', (msg) => received.get(id)?.push(msg));
    }
  });
  afterAll(async () => {
    await helper?.unload();
    await client?.close();
    await cluster?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  printLogsOnFailure(() => cluster);

  const until = (id: string, wanted: object = {}): Promise<Message> =>
    eventually(`${id} ${JSON.stringify(wanted)}`, () => {
      const found = received.get(id)?.find((msg) => matches(msg, wanted));
      if (found === undefined) throw new Error(`got ${JSON.stringify(received.get(id))}`);
      return found;
    });
  /** Gives a node a message, and resolves with what comes out of it. */
  const ask = (id: string, msg: Message, output = `${id} out`): Promise<Message> => {
    received.set(output, []);
    helper.getNode(id).receive(msg);
    return until(output);
  };
  const askInVain = (id: string, msg: Message): Promise<Message> => {
    received.set('caught', []);
    helper.getNode(id).receive(msg);
    return until('caught', { error: { source: { id } } });
  };
  const dot = (id: string, fill: string, word: string) => {
    const text = expect.stringContaining(`status.${word}`);
    return until('dots', { status: { fill, text, source: { id } } });
  };

  it('dss in: current values, a mark, changes, deletes', async () => {
    await until('in out', { complete: true });
    const seen = received.get('in out')?.map(({ topic, complete }) => complete ?? topic);
    expect(seen?.slice(0, 2).sort()).toEqual(['plant1/a', 'plant1/text']);
    expect(seen?.[2]).toBe(true);
    expect(await until('in out', { topic: 'plant1/a' })).toMatchObject({
      payload: 18.25,
      version: expect.any(Number),
      time: expect.any(Number),
      deleted: false,
      snapshot: true,
    });
    await dot('in', 'green', 'connected');

    const { version } = await client.put('plant1/b', { mode: 'eco' });
    expect(await until('in out', { topic: 'plant1/b' })).toMatchObject({
      payload: { mode: 'eco' },
      version,
      snapshot: false,
    });
    await client.delete('plant1/b');
    await until('in out', { topic: 'plant1/b', deleted: true, payload: null });
    // Who asked for changes only has got nothing else.
    await until('changes out', { topic: 'plant1/b', deleted: true });
    const changes = received.get('changes out')?.map(({ topic, payload }) => [topic, payload]);
    expect(changes).toEqual([
      ['plant1/b', '{"mode":"eco"}'],
      ['plant1/b', null],
    ]);
  });

  it('dss put: values of all kinds, with times, with an end, deletes', async () => {
    const stored = await ask('put', { topic: 'plant1/a', payload: 21.5, mine: 'kept' });
    expect(stored).toMatchObject({ payload: 21.5, mine: 'kept' });
    expect(await client.get('plant1/a')).toMatchObject({ version: stored.version });
    const bytes = Buffer.from([0xff, 0x00]);
    await ask('put', { topic: 'plant1/c', payload: bytes });
    expect(Buffer.from((await client.get('plant1/c'))?.value ?? [])).toEqual(bytes);
    const time = new Date(Date.now() - 5_000);
    await ask('put with time', { payload: 'x', time: time.toISOString() });
    const late = await client.get('plant1/late');
    expect(late).toMatchObject({ time: time.getTime(), expiresAt: expect.any(Number) });
    await ask('put', { topic: 'plant1/c', deleted: true });
    expect(await client.get('plant1/c')).toBeUndefined();
  });

  it('dss get: the value, or none', async () => {
    const { version } = (await client.get('plant1/a')) ?? {};
    const got = await ask('get', { topic: 'plant1/a' });
    expect(got).toMatchObject({ topic: 'plant1/a', payload: 21.5, version });
    const before = await ask('get', { topic: 'plant1/a', at: Date.now() - 30_000 });
    expect(before).toMatchObject({ payload: 18.25 });
    expect(await ask('get', { topic: 'plant1/none', deleted: true })).toMatchObject({
      payload: null,
      version: null,
      // Else a put of what comes next would delete.
      deleted: false,
    });
  });

  it('dss list: an array of items, or a message for each', async () => {
    expect(await ask('list', {})).toMatchObject({
      payload: [
        { key: 'plant1/a', value: 21.5, version: expect.any(Number), time: expect.any(Number) },
        { key: 'plant1/late', value: 'x', expiresAt: expect.any(Number) },
      ],
    });
    await ask('keys', { topic: 'plant1' });
    await until('keys out', { topic: 'plant1/text', parts: { index: 2, count: 3 } });
    const keys = received.get('keys out')?.map(({ payload }) => payload);
    expect(keys).toEqual(['plant1/a', 'plant1/late', 'plant1/text']);
  });

  it('dss history: what the key has held', async () => {
    expect(await ask('history', {})).toMatchObject({
      topic: 'plant1/a',
      payload: [
        { value: 18.25, deleted: false },
        { value: 21.5, deleted: false },
      ],
    });
    const newest = await ask('history', { from: Date.now() - 30_000 });
    expect(newest.payload).toMatchObject([{ value: 21.5 }]);
  });

  it('dss cas: stored or not, each at its own output', async () => {
    const won = await ask('cas', { payload: 'line-1', version: null }, 'won');
    expect(won).toMatchObject({ won: true, version: expect.any(Number) });
    const lost = await ask('cas', { payload: 'line-2', version: null }, 'lost');
    expect(lost).toMatchObject({ won: false, version: won.version, payload: 'line-2' });
    await ask('cas', { payload: 'line-1 again', version: won.version }, 'won');
    expect((await client.get('plant2/job'))?.text()).toBe('line-1 again');
  });

  it('say what the cluster refuses them', async () => {
    const notAllowed = await askInVain('put of reader', { payload: 1 });
    expect(notAllowed).toMatchObject({ error: { code: 'NOT_ALLOWED' } });
    await dot('in of reader', 'red', 'refused');
    await dot('put of stranger', 'red', 'refused');
    const stranger = await askInVain('put of stranger', { payload: 1 });
    expect(stranger).toMatchObject({ error: { code: 'BAD_CREDENTIALS' } });
    await dot('put unverified', 'red', 'refused');
    const unverified = await askInVain('put unverified', { payload: 1 });
    expect(unverified).toMatchObject({
      error: { message: expect.stringContaining('error.verify') },
    });
    await dot('put nowhere', 'yellow', 'connecting');
    const nowhere = await askInVain('put nowhere', { payload: 1 });
    expect(nowhere).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    const alone = await askInVain('put without cluster', { payload: 1 });
    expect(alone).toMatchObject({ error: { message: expect.stringContaining('noCluster') } });
  });

  it('give errors with their codes to Catch nodes, and a red dot until the next success', async () => {
    const failed = await askInVain('put', { topic: '', payload: 1 });
    expect(failed).toMatchObject({ payload: 1, error: { code: 'INVALID_KEY' } });
    await dot('put', 'red', 'refused');
    received.set('dots', []);
    await ask('put', { topic: 'plant1/a', payload: 22 });
    await dot('put', 'green', 'connected');

    const noJson = await askInVain('get JSON', {});
    expect(noJson).toMatchObject({ error: { code: 'MALFORMED_JSON' } });
    const noVersion = await askInVain('cas', { payload: 1 });
    expect(noVersion).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });

  it('go on at another node, and say when there is no quorum', async () => {
    received.set('dots', []);
    await cluster.kill(0);
    await dot('put', 'yellow', 'connecting');
    await dot('put', 'green', 'connected');
    await ask('put', { topic: 'plant1/a', payload: 23 });
    await until('in out', { topic: 'plant1/a', payload: 23 });

    await cluster.kill(1);
    const failed = await askInVain('get', { topic: 'plant1/a' });
    expect(failed).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    await dot('get', 'red', 'noQuorum');
  });
});

function matches(msg: Message, wanted: object): boolean {
  try {
    expect(msg).toMatchObject(wanted);
    return true;
  } catch {
    return false;
  }
}
