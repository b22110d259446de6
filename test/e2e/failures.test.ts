import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  connectMqtt,
  dssJson,
  gather,
  type RecordedReading,
  readAll,
  readRecord,
  subscribe,
} from './support/clients.ts';
import { dss, dssScript, startProcess, temporaryDirectory } from './support/processes.ts';
import { ResendingClient } from './support/raw-client.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** What `kill -9` may and may not do. The tests run in order on one cluster and leave it whole. */
describe('three nodes that are killed', () => {
  let cluster: TestCluster;
  let directory: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  /** A fleet in a process of its own, with a key for each reading; resolves once it is under way. */
  async function startFleet(prefix: string, seconds: number, graceSeconds: number) {
    const record = join(directory, `${prefix}.jsonl`);
    const flags = ['--devices', '40', '--rate', '10', '--seconds', String(seconds)];
    flags.push('--connections', '9', '--prefix', prefix, '--distinct-keys', '--record', record);
    flags.push('--timeout', String(graceSeconds), '--node', cluster.addresses, '--json');
    const fleet = startProcess(process.execPath, [dssScript, 'fleet', ...flags]);
    await eventually('the fleet is under way', async () =>
      (await stat(record)).size > 50_000 ? true : undefined,
    );
    return {
      finished: async (): Promise<RecordedReading[]> => {
        await fleet.exited;
        expect(fleet.stderr).toEqual([]);
        expect(JSON.parse(fleet.stdout.at(-1) ?? '')).toMatchObject({ failed: 0 });
        return readRecord(record);
      },
    };
  }

  async function expectStored(readings: readonly RecordedReading[], prefix: string, index: number) {
    const stored = await readAll(cluster.node(index), prefix);
    const lost = readings.filter(({ key, value }) => stored.get(key) !== value);
    expect(lost).toEqual([]);
  }

  it('loses no acknowledged write and resumes when the busiest leader is killed', async () => {
    await cluster.waitForLeaders();
    const victim = await cluster.busiestLeader();
    const survivor = (victim + 1) % 3;
    const ledKey = await keyLedBy(victim, 'fleet-probe');
    const probe = await connectMqtt(cluster.node(survivor));
    await probe.publishAsync(`dss/put/${ledKey}`, 'before', { qos: 1 });
    const fleet = await startFleet('kill1', 8, 20);

    const killedMs = Date.now();
    await cluster.kill(victim);
    await probe.publishAsync(`dss/put/${ledKey}`, 'after', { qos: 1 });
    const firstMs = Date.now() - killedMs;
    const readings = await fleet.finished();
    const waits = readings
      .filter(({ acknowledgedMs }) => acknowledgedMs > killedMs)
      .map(({ sentMs, acknowledgedMs }) => acknowledgedMs - Math.max(sentMs, killedMs));
    const resumedMs = Math.max(...waits);
    console.log(`kill -9: first write to its keys after ${firstMs} ms, all after ${resumedMs} ms`);
    expect(readings.length).toBeGreaterThan(3_000);
    await expectStored(readings, 'kill1', survivor);

    cluster.restart(victim);
    await cluster.waitForLeaders();
    await cluster.waitForCatchUp(victim);
    await expectStored(readings, 'kill1', victim);
    await probe.endAsync();
  });

  it('makes no duplicates of resent puts and drops no QoS 0 put while a leader is replaced', async () => {
    const victim = await cluster.busiestLeader();
    const [door, window] = [cluster.node((victim + 1) % 3), cluster.node((victim + 2) % 3)];
    const key = await keyLedBy(victim, 'esp');
    const watcher = await gather(window, `dss/value/${key}`);
    const esp = await ResendingClient.connect(door.mqttPort, 'esp-1');
    const sprinkler = await connectMqtt(door);
    let sprinkled = 0;
    const timer = setInterval(() => {
      sprinkler.publish(`dss/put/qos0/${sprinkled}`, String(sprinkled), { qos: 0 });
      sprinkled += 1;
    }, 10);

    const sent: string[] = [];
    const putNext = async (): Promise<void> => {
      const value = String(sent.length + 1);
      sent.push(value);
      await esp.put(`dss/put/${key}`, value);
    };
    for (let count = 0; count < 5; count += 1) await putNext();
    const killed = cluster.kill(victim);
    for (let count = 0; count < 5; count += 1) await putNext();
    await killed;
    await eventually('QoS 0 puts before, during and after', () =>
      sprinkled >= 300 ? true : undefined,
    );
    clearInterval(timer);

    // One that is sent again when its PUBACK is already under way is another put, with a PUBACK of its own.
    const acknowledged = (): string[] =>
      sent.flatMap((value, index) => Array(esp.acknowledged[index]).fill(value));
    await eventually('every acknowledged put is shown once', () => {
      expect(watcher.messages.map(({ payload }) => payload)).toEqual(acknowledged());
      return true;
    });
    expect(acknowledged().length).toBeLessThan(sent.length + esp.resends);
    await eventually('every QoS 0 put is stored', async () => {
      const stored = await readAll(door, 'qos0');
      return stored.size === sprinkled ? true : undefined;
    });
    esp.close();
    await sprinkler.endAsync();
    await watcher.client.endAsync();
    cluster.restart(victim);
    await cluster.waitForLeaders();
    await cluster.waitForCatchUp(victim);
  });

  it('stores the will of a client that is killed', async () => {
    const will = ['--will-topic', 'dss/put/dev42/status', '--will-payload', 'offline'];
    const device = subscribe(cluster.node(0), 'dss/value/dev42/#', ...will, '--will-retain');
    await dss(['put', 'dev42/status', 'online', '--node', cluster.node(1).mqttUrl]);
    await device.line(/online/);
    device.child.kill('SIGKILL');
    for (const node of cluster.nodes) {
      const reader = subscribe(node, 'dss/value/dev42/status');
      await reader.line(/\|offline$/);
      reader.child.kill();
    }
  });

  it('has everything acknowledged after all three were killed at once', async () => {
    const fleet = await startFleet('kill3', 5, 40);
    await Promise.all(cluster.nodes.map((_, index) => cluster.kill(index)));
    for (const index of cluster.nodes.keys()) cluster.restart(index);
    await cluster.waitForLeaders();
    const readings = await fleet.finished();
    for (const index of cluster.nodes.keys()) await expectStored(readings, 'kill3', index);
    await expectStored(await readRecord(join(directory, 'kill1.jsonl')), 'kill1', 0);
    for (const node of cluster.nodes) {
      const status = await dssJson(['get', 'dev42/status', '--node', node.mqttUrl]);
      expect(status).toMatchObject({ value: 'offline' });
    }
  });

  it('acknowledges nothing without a quorum, and goes on when a second node is back', async () => {
    const n1 = cluster.node(0);
    await Promise.all([cluster.kill(1), cluster.kill(2)]);
    const client = await connectMqtt(n1, { reconnectPeriod: 500 });
    let acknowledged = 0;
    const writes = Array.from({ length: 20 }, (_, index) =>
      client.publishAsync(`dss/put/minority/${index}`, String(index), { qos: 1 }).then(() => {
        acknowledged += 1;
      }),
    );
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const flags = ['--timeout', '4', '--node', n1.mqttUrl];
    const write = dss(['put', 'minority/cli', '1', ...flags]);
    const read = dss(['get', 'minority/1', ...flags]);
    expect(await write).toMatchObject({ code: 4 });
    expect(await read).toMatchObject({ code: 4 });
    await closed;
    expect(acknowledged).toBe(0);

    cluster.restart(1);
    await Promise.all(writes);
    const stored = await readAll(n1, 'minority');
    for (let index = 0; index < writes.length; index += 1) {
      expect(stored.get(`minority/${index}`)).toBe(String(index));
    }
    await client.endAsync();
    cluster.restart(2);
    await cluster.waitForLeaders();
  });

  /** A key under `prefix` whose shard the node leads. */
  async function keyLedBy(index: number, prefix: string): Promise<string> {
    for (let number = 0; number < 1_000; number += 1) {
      const key = `${prefix}/${number}`;
      const { leader } = await cluster.where(index, key);
      if (leader === cluster.node(index).name) return key;
    }
    throw new Error('it leads nothing');
  }
});
