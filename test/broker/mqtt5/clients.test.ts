import { type ChildProcess, execFile, spawnSync } from 'node:child_process';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Listener, listenTcp } from '../../../broker/server.ts';
import { eventually, HANGS_MS } from '../../support/eventually.ts';
import { type Harness, startBroker } from '../harness.ts';

let harness: Harness;
let listener: Listener;
const children = new Set<ChildProcess>();
const clients = new Set<MqttClient>();

beforeEach(async () => {
  harness = await startBroker();
  listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  for (const client of clients) client.end(true);
  clients.clear();
  await Promise.all([listener.close(), harness.broker.close()]);
});

const until = (what: string, condition: () => boolean) =>
  eventually(what, () => condition() || undefined);

const missing = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr'].filter(
  (program) => spawnSync(program, ['--help']).error !== undefined,
);

describe.skipIf(missing.length > 0)('Mosquitto clients in MQTT 5', () => {
  const run = (program: string, ...args: string[]) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const where = ['-V', 'mqttv5', '-h', '127.0.0.1', '-p', String(listener.address.port)];
      const child = execFile(program, [...where, ...args], { timeout: HANGS_MS }, (error, out) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out });
      });
      children.add(child);
    });
  const lines = (out: string) => out.split('\n').filter((line) => line !== '');

  it.each(['0', '1', '2'])('put and read back at QoS %s', async (qos) => {
    const props = ['-D', 'publish', 'user-property', 'ttl', '60'];
    const put = await run('mosquitto_pub', '-t', 'dss/put/a', '-m', 'v', '-q', qos, ...props);
    expect(put.code).toBe(0);
    expect(harness.plane.writes).toMatchObject([{ key: 'a', ttlMs: 60_000 }]);
    const read = await run('mosquitto_sub', '-t', 'dss/value/#', '-C', '1', '-F', '%t %p %r %P');
    const [, version] = /version:(\d+)/.exec(read.out) ?? [];
    expect(await harness.plane.get(Buffer.from('a'))).toMatchObject({ version: Number(version) });
    expect(lines(read.out)[0]).toMatch(/^dss\/value\/a v 1 /);
  });

  it('ask, with a Response Topic and Correlation Data', async () => {
    harness.plane.store('a', '1');
    const ask = ['-D', 'publish', 'correlation-data', 'seven', '-F', '%p %D'];
    for (const topic of ['dss/reply/me', 'answers/7']) {
      const { out } = await run('mosquitto_rr', '-t', 'dss/get/a', '-e', topic, '-n', ...ask);
      expect(out).toMatch(/"value":"1"\} seven/);
    }
    const put = await run('mosquitto_rr', '-t', 'dss/put/b', '-e', 'dss/reply/me', '-m', 'v');
    expect(JSON.parse(put.out)).toMatchObject({ op: 'put', key: 'b', ok: true });
  });

  it('are told what is refused, and stay', async () => {
    const put = await run('mosquitto_pub', '-t', 'dss/puts/a', '-m', 'v', '-q', '1', '-d');
    expect(put.out).toMatch(/RC:144/);
    const sub = await run('mosquitto_sub', '-t', 'dss/put/a', '-C', '1', '-d');
    expect(sub.out).toMatch(/Subscribed \(mid: 1\): 135/);
  });

  it('exchange ordinary messages with their properties', async () => {
    const format = ['-F', '%t %p %q %r %P %C %R'];
    const reading = run('mosquitto_sub', '-t', 'plain/#', '-q', '2', '-C', '4', ...format);
    await until('the subscriber', () => harness.broker.counters().connections === 1);
    const props = ['user-property k v', 'content-type text/x', 'response-topic back'];
    const described = props.flatMap((each) => ['-D', 'publish', ...each.split(' ')]);
    await run('mosquitto_pub', '-t', 'plain/r', '-m', 'kept', '-r', '-q', '1', ...described);
    for (const qos of ['0', '1', '2']) {
      await run('mosquitto_pub', '-t', 'plain/a', '-m', 'm', '-q', qos, ...described);
    }
    expect(lines((await reading).out)).toEqual([
      'plain/r kept 1 0 k:v text/x back',
      'plain/a m 0 0 k:v text/x back',
      'plain/a m 1 0 k:v text/x back',
      'plain/a m 2 0 k:v text/x back',
    ]);
    const retained = await run('mosquitto_sub', '-t', 'plain/r', '-C', '1', ...format);
    expect(lines(retained.out)).toEqual(['plain/r kept 0 1 k:v text/x back']);
  });

  it('resume a session that goes on', async () => {
    const session = ['-i', 'keeper', '-c', '-x', '60', '-q', '1', '-t', 'plain/#'];
    await run('mosquitto_sub', ...session, '-E');
    await run('mosquitto_pub', '-t', 'plain/a', '-m', 'kept', '-q', '1');
    const { out } = await run('mosquitto_sub', ...session, '-C', '1');
    expect(lines(out)).toEqual(['kept']);
  });
});

describe('MQTT.js in MQTT 5', () => {
  const connected = async (options: IClientOptions = {}) => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${listener.address.port}`, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      ...options,
    });
    clients.add(client);
    const messages: IPublishPacket[] = [];
    client.on('message', (_topic, _payload, packet) => void messages.push(packet));
    return { client, messages };
  };

  it('puts at all QoS, with its own topic aliases', async () => {
    const { client } = await connected({ autoAssignTopicAlias: true });
    for (let i = 0; i < 60; i += 1) {
      const qos = (i % 3) as 0 | 1 | 2;
      await client.publishAsync(`dss/put/k${i % 40}`, String(i), { qos });
    }
    await until('the puts', () => harness.plane.writes.length === 60);
    expect(harness.plane.value('k39')).toBe('39');
    expect(harness.plane.value('k19')).toBe('59');
  });

  it('gets reason codes as errors, and goes on', async () => {
    const { client } = await connected();
    await expect(client.publishAsync('dss/puts/a', '', { qos: 1 })).rejects.toMatchObject({
      code: 0x90,
    });
    await expect(client.subscribeAsync('dss/put/a')).rejects.toThrow();
    await client.publishAsync('dss/put/a', '1', { qos: 1 });
    expect(harness.plane.value('a')).toBe('1');
  });

  it('sees values with version, time and subscription identifier', async () => {
    const version = harness.plane.store('a', '1');
    const { client, messages } = await connected();
    await client.subscribeAsync('dss/value/#', {
      qos: 1,
      properties: { subscriptionIdentifier: 5 },
    });
    await until('the value', () => messages.length === 1);
    expect(messages[0]?.properties).toMatchObject({
      userProperties: { version: String(version) },
      subscriptionIdentifier: 5,
    });
  });

  it('asks and is answered with its correlation data', async () => {
    harness.plane.store('a', '1');
    const { client, messages } = await connected({ clientId: '' });
    await client.subscribeAsync('dss/reply/me');
    const correlationData = Buffer.of(1, 2, 0, 255);
    const properties = { responseTopic: 'dss/reply/me', correlationData };
    await client.publishAsync('dss/get/a', '', { qos: 1, properties });
    await until('the answer', () => messages.length === 1);
    expect(messages[0]?.properties?.correlationData).toEqual(correlationData);
  });

  it('is told by DISCONNECT why it ends', async () => {
    const { client } = await connected({ clientId: 'same' });
    const told = new Promise((resolve) => client.once('disconnect', resolve));
    await connected({ clientId: 'same' });
    expect(await told).toMatchObject({ reasonCode: 0x8e });
  });

  it('keeps to our Maximum Packet Size or is told so', async () => {
    const { client } = await connected();
    const told = new Promise((resolve) => client.once('disconnect', resolve));
    client.on('error', () => {});
    client.publish('plain', Buffer.alloc(3 * 1024 * 1024), { qos: 1 }, () => {});
    expect(await told).toMatchObject({ reasonCode: 0x95 });
  });
});
