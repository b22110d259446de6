import { readFileSync } from 'node:fs';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkStatus } from '../../clients/cli/status-document.ts';
import { eventually } from '../support/eventually.ts';
import { publish, readAll } from './support/clients.ts';
import { hasMosquitto, type Mosquitto, startMosquitto } from './support/mosquitto.ts';
import { dss } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

// Three nodes beside a real Mosquitto, with the first example of docs/EXISTING-BROKER.md.

const page = new URL('../../docs/EXISTING-BROKER.md', import.meta.url);

function configuration(url: string): string {
  const [, example] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync(page, 'utf8')) ?? [];
  if (example === undefined) throw new Error('the page has no example');
  return example.replace(/url: .*$/gm, `url: ${url}`);
}

describe.skipIf(!hasMosquitto)('beside a Mosquitto', () => {
  let mosquitto: Mosquitto;
  let cluster: TestCluster;
  let device: MqttClient;

  beforeAll(async () => {
    mosquitto = await startMosquitto('max_queued_messages 0', { persistence: true });
    cluster = await TestCluster.start({ config: configuration(mosquitto.url) });
    device = await mosquitto.connect();
    await untilConnected();
  });
  afterAll(async () => {
    await device?.endAsync(true);
    await cluster?.close();
    await mosquitto?.close();
  });
  printLogsOnFailure(() => cluster);

  async function linkOf(name: string): Promise<LinkStatus | undefined> {
    const [index] = [...cluster.nodes.keys()].filter((i) =>
      cluster.running.includes(cluster.node(i)),
    );
    return (await cluster.status(index ?? 0)).links.find((link) => link.name === name);
  }

  const untilLink = (what: string, name: string, condition: (link: LinkStatus) => boolean) =>
    eventually(`${name}: ${what}`, async () => {
      const link = await linkOf(name);
      return link !== undefined && condition(link) ? link : undefined;
    });

  async function untilConnected(): Promise<void> {
    for (const name of ['workshop', 'office']) {
      await untilLink('connected', name, ({ connected }) => connected);
    }
  }

  async function send(topic: string, from: number, to: number): Promise<void> {
    const sent = Array.from({ length: to - from + 1 }, (_, i) =>
      device.publishAsync(topic, String(from + i), { qos: 1 }),
    );
    await Promise.all(sent);
  }

  const untilStored = (key: string, value: string) =>
    eventually(`${key} is ${value}`, async () => {
      const [node] = cluster.running;
      if (node === undefined) return undefined;
      const values = await readAll(node, key);
      return values.get(key) === value ? true : undefined;
    });

  it('stores what a source reads, in order, and shows how it is', async () => {
    await device.publishAsync('tele/boiler/SENSOR', '{"temperature":61.5}', { qos: 1 });
    await device.publishAsync('tele/boiler/SENSOR', 'no JSON', { qos: 1 });
    await device.publishAsync('other/topic', 'not read', { qos: 1 });
    await device.publishAsync('zigbee2mqtt/bridge/log', 'excepted', { qos: 1 });
    await send('zigbee2mqtt/count', 1, 300);
    await untilStored('zigbee2mqtt/count', '300');
    await untilStored('plant/boiler', '61.5');
    expect(await historyOf('zigbee2mqtt/count')).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
    const values = await readAll(cluster.node(1), '');
    expect([...values.keys()].sort()).toEqual(['plant/boiler', 'zigbee2mqtt/count']);

    const link = await untilLink('counted', 'workshop', ({ messages }) => messages >= 303);
    expect(link).toMatchObject({ kind: 'source', url: mosquitto.url, ignored: 2, error: '' });
    const { stdout } = await dss(['status', '--http', cluster.node(2).httpUrl]);
    expect(stdout).toMatch(/workshop +source +mqtt:\S+ +n\d +303 +2 +connected/);
  });

  it('goes on after the other broker was away, and gives it what changed meanwhile', async () => {
    await publish(cluster.node(0), 'dss/put/plant/a', 'before');
    await publish(cluster.node(0), 'dss/put/plant/b', 'before');
    await untilRetained('dss/plant/b', 'before');
    await device.endAsync(true);
    await mosquitto.stop();
    const away = await untilLink('away', 'office', (link) => !link.connected && link.error !== '');
    expect(away.error).toMatch(/ECONNREFUSED|lost/);
    await eventually('an alert', async () => {
      const { alerts } = await cluster.status(1);
      return alerts.some(({ name }) => name === 'link-down-office') ? true : undefined;
    });
    for (const value of ['1', '2', '3']) await publish(cluster.node(1), 'dss/put/plant/a', value);
    await publish(cluster.node(1), 'dss/delete/plant/b', '');

    await mosquitto.start();
    await untilConnected();
    await untilRetained('dss/plant/a', '3');
    await untilRetained('dss/plant/b', undefined);
    device = await mosquitto.connect();
    await send('zigbee2mqtt/later', 1, 10);
    await untilStored('zigbee2mqtt/later', '10');
    // What a source stores, the sink publishes.
    await untilRetained('dss/zigbee2mqtt/later', '10');
  });

  it('loses nothing that the other broker holds when the holder is killed', async () => {
    const { holder } = await untilLink('held', 'workshop', (link) => link.holder !== null);
    let last = 0;
    let isKilled = false;
    const sending = (async () => {
      for (; !isKilled; last += 50) await send('zigbee2mqtt/kill', last + 1, last + 50);
    })();
    await untilLink('at work', 'workshop', ({ messages }) => messages > 1_000);
    await cluster.kill(cluster.indexOf(holder));
    isKilled = true;
    await sending;

    await untilLink('moved', 'workshop', (link) => {
      return link.connected && link.holder !== holder && link.messages > 0;
    });
    await untilStored('zigbee2mqtt/kill', String(last));
    const stored = await historyOf('zigbee2mqtt/kill');
    expect([...new Set(stored)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: last }, (_, i) => i + 1),
    );
    // What was under way may be there twice: then the order begins again where it was, and leaves out nothing.
    expect(stored.filter((value, i) => value > (stored[i - 1] ?? 0) + 1)).toEqual([]);
    expect(stored.at(-1)).toBe(last);
  });

  /** What somebody who comes now is told at once. */
  const untilRetained = (topic: string, payload: string | undefined) =>
    eventually(`${topic} is retained as ${payload}`, async () => {
      const found = await retained();
      return found.get(topic) === payload ? true : undefined;
    });

  async function retained(): Promise<Map<string, string>> {
    const client = await mosquitto.connect();
    const found = new Map<string, string>();
    try {
      await new Promise<void>((resolve, reject) => {
        client.on('error', reject);
        client.on('message', (topic, bytes, { retain }) => {
          if (topic === 'marker') resolve();
          else if (retain) found.set(topic, bytes.toString());
        });
        // Retained messages come before what is published after their SUBSCRIBE.
        client
          .subscribeAsync(['dss/#', 'marker'], { qos: 1 })
          .then(() => client.publishAsync('marker', 'end', { qos: 1 }))
          .catch(reject);
      });
    } finally {
      await client.endAsync(true);
    }
    return found;
  }

  /** The whole history of a key, oldest first. */
  async function historyOf(key: string): Promise<number[]> {
    const [node] = cluster.running;
    const args = ['history', key, '--all', '--order', 'asc', '--json'];
    const { code, stdout, stderr } = await dss([...args, '--node', node?.mqttUrl ?? '']);
    if (code !== 0) throw new Error(stderr);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => Number((JSON.parse(line) as { value: string }).value));
  }
});
