import { readFileSync } from 'node:fs';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { dssJson, type Gathered, gather, publish } from './support/clients.ts';
import { hasMosquitto, type Mosquitto, startMosquitto } from './support/mosquitto.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// A real Mosquitto with the bridge of docs/devices/mosquitto-bridge.md, both ways.

const page = new URL('../../docs/devices/mosquitto-bridge.md', import.meta.url);

function bridgeTo(cluster: TestCluster): string {
  const [, configuration] = /^```conf\n([\s\S]*?)^```$/m.exec(readFileSync(page, 'utf8')) ?? [];
  if (configuration === undefined) throw new Error('the page has no configuration');
  const addresses = cluster.nodes.map(({ mqttPort }) => `127.0.0.1:${mqttPort}`).join(' ');
  return configuration.replace(/^address .*$/m, `address ${addresses}`);
}

describe.skipIf(!hasMosquitto)('a bridged Mosquitto', () => {
  let cluster: TestCluster;
  let mosquitto: Mosquitto;
  /** On the Mosquitto: what it mirrors, as it comes. */
  let local: MqttClient;
  const mirrored: string[] = [];
  /** On a node which the bridge is not connected to. */
  let stored: Gathered;
  /** `1` when the bridge is up, `0` when it is not, as the Mosquitto announces it. */
  const bridgeStates: string[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start();
    await publish(cluster.node(1), 'dss/put/plant1/before', 'the bridge');
    await publish(cluster.node(1), 'dss/put//esp/before', 'with a slash');
    stored = await gather(cluster.node(2), 'dss/value/#');
    mosquitto = await startMosquitto(bridgeTo(cluster));
    local = await mosquitto.connect();
    local.on('message', (topic, payload) => {
      if (topic.startsWith('$SYS/')) bridgeStates.push(payload.toString());
      else mirrored.push(`${topic}=${payload.toString()}`);
    });
    await local.subscribeAsync(['mirror/#', '$SYS/broker/connection/+/state'], { qos: 1 });
    await untilBridged();
  });
  afterAll(async () => {
    await local?.endAsync(true);
    await stored?.client.endAsync(true);
    await mosquitto?.close();
    await cluster?.close();
  });
  printLogsOnFailure(() => cluster);

  const untilBridged = () =>
    eventually('the bridge is up', () => (bridgeStates.at(-1) === '1' ? true : undefined));

  const untilMirrored = (what: string) =>
    eventually(`${what}; mirrored: ${mirrored.join(' ')}`, () =>
      mirrored.includes(what) ? true : undefined,
    );

  const untilStored = (topic: string, payload: string) =>
    stored.until(`${topic} = ${payload}`, () =>
      stored.messages.some((message) => message.topic === topic && message.payload === payload),
    );

  /** What a client that comes now gets at once, up to the marker. */
  async function retained(): Promise<string[]> {
    const newcomer = await mosquitto.connect();
    const found: string[] = [];
    newcomer.on('message', (topic, payload, { retain }) => {
      if (retain || topic === 'marker') found.push(`${topic}=${payload.toString()}`);
    });
    await newcomer.subscribeAsync('marker');
    await newcomer.subscribeAsync('mirror/#');
    await newcomer.publishAsync('marker', 'end');
    await eventually('the marker', () => (found.includes('marker=end') ? true : undefined));
    await newcomer.endAsync(true);
    return found.filter((entry) => entry !== 'marker=end');
  }

  it('has current values and changes, and keeps both for its own clients', async () => {
    await untilMirrored('mirror/plant1/before=the bridge');
    await untilMirrored('mirror//esp/before=with a slash');

    await publish(cluster.node(2), 'dss/put/plant1/before', 'changed');
    await publish(cluster.node(2), 'dss/put/plant1/new', 'one more');
    await untilMirrored('mirror/plant1/before=changed');
    await untilMirrored('mirror/plant1/new=one more');

    expect(await retained()).toEqual(
      expect.arrayContaining([
        'mirror/plant1/before=changed',
        'mirror/plant1/new=one more',
        'mirror//esp/before=with a slash',
      ]),
    );
  });

  it('stores what its devices publish, byte for byte, and nothing else', async () => {
    await local.publishAsync('other/topic', 'not bridged', { qos: 1 });
    await local.publishAsync('zigbee2mqtt/lamp', '{"state":"ON"}', { qos: 1, retain: true });
    await local.publishAsync('/esp/temp', '21.5', { qos: 0 });

    await untilStored('dss/value/zigbee2mqtt/lamp', '{"state":"ON"}');
    await untilStored('dss/value//esp/temp', '21.5');
    await untilMirrored('mirror/zigbee2mqtt/lamp={"state":"ON"}');
    await untilMirrored('mirror//esp/temp=21.5');
    expect(stored.messages.filter(({ topic }) => topic.includes('other'))).toEqual([]);
  });

  it('clears on the other side, both ways', async () => {
    await local.publishAsync('zigbee2mqtt/lamp', '', { qos: 1, retain: true });
    await untilStored('dss/value/zigbee2mqtt/lamp', '');
    await untilMirrored('mirror/zigbee2mqtt/lamp=');

    await publish(cluster.node(1), 'dss/delete/plant1/new', 'x');
    await untilMirrored('mirror/plant1/new=');

    const left = await retained();
    expect(left.filter((entry) => /lamp|new/.test(entry))).toEqual([]);
    expect(left).toContain('mirror/plant1/before=changed');
  });

  it('makes no loops', async () => {
    for (let i = 1; i <= 5; i += 1) {
      await local.publishAsync('zigbee2mqtt/count', String(i), { qos: 1 });
    }
    await untilMirrored('mirror/zigbee2mqtt/count=5');
    // Once around once more: what went in circles would have come by meanwhile.
    await local.publishAsync('zigbee2mqtt/after', 'all', { qos: 1 });
    await untilMirrored('mirror/zigbee2mqtt/after=all');

    expect(await historyOf('zigbee2mqtt/count')).toEqual(['5', '4', '3', '2', '1']);
    const keys = new Set(stored.messages.map(({ topic }) => topic));
    expect([...keys].filter((topic) => topic.includes('mirror'))).toEqual([]);
  });

  it('goes on at the next node when its own is lost, and sends what was published meanwhile', async () => {
    bridgeStates.length = 0;
    await cluster.kill(0);
    await eventually('the bridge is down', () => (bridgeStates.includes('0') ? true : undefined));
    for (let i = 1; i <= 20; i += 1) {
      await local.publishAsync('zigbee2mqtt/meanwhile', String(i), { qos: 1 });
    }
    await untilBridged();

    await untilMirrored('mirror/zigbee2mqtt/meanwhile=20');
    const history = await historyOf('zigbee2mqtt/meanwhile');
    expect(history).toEqual(Array.from({ length: 20 }, (_, i) => String(20 - i)));
    await publish(cluster.node(1), 'dss/put/plant1/before', 'changed again');
    await untilMirrored('mirror/plant1/before=changed again');
  });

  async function historyOf(key: string): Promise<string[]> {
    const answer = await dssJson(['history', key, '--node', cluster.node(1).mqttUrl]);
    return (answer.items as { value: string }[]).map(({ value }) => value);
  }
});

/** Plain topics: nobody but Mosquitto's own bridge, and subscribers at nodes that it is not connected to. */
const VERSIONS = ['mqttv311', 'mqttv50'] as const;

describe.skipIf(!hasMosquitto)('a Mosquitto with a bridge of ordinary topics', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const bridge = (version: string) =>
    [
      'connection plain',
      `address 127.0.0.1:${cluster.node(0).mqttPort}`,
      `remote_clientid bridge-${version}`,
      `bridge_protocol_version ${version}`,
      'cleansession false',
      'notifications true',
      `notification_topic bridges/${version}`,
      `topic out/${version}/# out 2`,
      `topic in/${version}/# in 2`,
      `topic both/${version}/# both 1`,
    ].join('\n');

  it.each(VERSIONS)(
    'passes them on both ways, and says whether it is there, with %s',
    async (v) => {
      const remote = await gather(cluster.node(1), '#');
      // Retained: a bridge that has it has subscribed, which it does after it has said that it is there.
      await remote.client.publishAsync(`in/${v}/ready`, '1', { qos: 1, retain: true });
      const mosquitto = await startMosquitto(bridge(v));
      const local = await mosquitto.connect();
      const here: string[] = [];
      local.on('message', (topic, payload) => here.push(`${topic}=${payload}`));
      await local.subscribeAsync(['in/#', 'both/#'], { qos: 2 });
      const there = () =>
        remote.messages
          .filter(({ topic }) => !/^(dss|\$SYS)\//.test(topic))
          .map(({ topic, payload }) => `${topic}=${payload}`);
      await remote.until('the bridge is there', () => there().includes(`bridges/${v}=1`));
      await eventually('the bridge has subscribed', () =>
        here.includes(`in/${v}/ready=1`) ? true : undefined,
      );

      for (let i = 1; i <= 20; i += 1) {
        await local.publishAsync(`out/${v}/x`, String(i), { qos: 2 });
        await remote.client.publishAsync(`in/${v}/x`, String(i), { qos: 2 });
      }
      await local.publishAsync(`both/${v}/x`, 'from here', { qos: 1, retain: true });
      await publish(cluster.node(2), `both/${v}/y`, 'from there', '-r');
      const last = [`both/${v}/x=from here`, `both/${v}/y=from there`];
      await remote.until('all of it', () =>
        [...last, `out/${v}/x=20`].every((each) => there().includes(each)),
      );
      await eventually('all of it', () =>
        [...last, `in/${v}/x=20`].every((each) => here.includes(each)) ? true : undefined,
      );
      const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
      const of = (all: string[], kind: string) =>
        all.filter((each) => each.startsWith(`${kind}/${v}/`));
      expect(of(there(), 'out')).toEqual(numbers.map((i) => `out/${v}/x=${i}`));
      expect(of(here, 'in').slice(1)).toEqual(numbers.map((i) => `in/${v}/x=${i}`));
      expect(of(there(), 'both').sort()).toEqual(last);
      expect(of(here, 'both').sort()).toEqual(last);

      await mosquitto.close();
      await remote.until('the bridge is gone', () => there().includes(`bridges/${v}=0`));
      await local.endAsync(true);
      await remote.client.endAsync(true);
    },
  );
});
