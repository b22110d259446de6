import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, packet } from '../support/mqtt-frames.ts';
import { connectMqtt, dssJson, gather, publish } from './support/clients.ts';
import { runProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

let cluster: TestCluster;
let directory: string;
printLogsOnFailure(() => cluster);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dss-bad-input-'));
  cluster = await TestCluster.start({ nodes: 1 });
});
afterAll(async () => {
  await cluster?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Sends bytes on a new connection and resolves when the node has closed it. */
function closedAfter(...packets: readonly Uint8Array[]): Promise<void> {
  const socket = connectSocket({ port: cluster.node(0).mqttPort, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  for (const packet of packets) socket.write(packet);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('bad input on a real node', () => {
  it('gets what was promised for it, while a neighbour goes on undisturbed', async () => {
    const node = cluster.node(0);
    const neighbour = await connectMqtt(node);
    let acknowledged = 0;
    let isDone = false;
    const traffic = (async () => {
      for (let i = 0; !isDone; i += 1) {
        await neighbour.publishAsync('dss/put/neighbour', String(i), { qos: 1 });
        acknowledged += 1;
      }
    })();
    const reports = await gather(node, 'dss/error/me');
    const report = async (topic: string, payload: string | Buffer): Promise<string> => {
      const known = reports.messages.length;
      await reports.client.publishAsync(topic, payload, { qos: 1 });
      await reports.until(
        `a report on ${topic.slice(0, 40)}`,
        () => reports.messages.length > known,
      );
      return JSON.parse(reports.messages[known]?.payload ?? '').code;
    };
    expect(await report(`dss/put/${'k'.repeat(1_025)}`, 'x')).toBe('INVALID_KEY');
    expect(await report('dss/put/large', Buffer.alloc(1024 * 1024 + 1))).toBe('VALUE_TOO_LARGE');
    expect(await report('dss/putt/x', 'x')).toBe('UNKNOWN_VERB');
    expect(await report('dss/get/x', '{"id":')).toBe('MALFORMED_JSON');
    expect(await report('dss/batch', '[{"key":"a"}]')).toBe('INVALID_REQUEST');
    expect(await report('dss/value/x', 'forged')).toBe('RESERVED_TOPIC');

    const large = join(directory, 'large');
    await writeFile(large, randomBytes(3 * 1024 * 1024));
    const flags = ['-p', String(node.mqttPort), '-q', '1', '-f', large];
    const tooLarge = await runProcess('mosquitto_pub', [...flags, '-t', 'an/ordinary/topic']);
    expect(tooLarge.code, 'other packets over the limit: closed').not.toBe(0);

    await closedAfter(randomBytes(2_000).fill(0xff, 0, 8));
    await closedAfter(packet(0x30, Buffer.from('before CONNECT')));
    await closedAfter(connect({ clientId: 'twice' }), connect({ clientId: 'twice' }));
    await closedAfter(connect({ clientId: 'long' }), Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f));
    await closedAfter(connect({ clientId: 'utf8' }), packet(0x30, Buffer.of(0, 2, 0xc3, 0x28, 1)));

    const before = acknowledged;
    expect(before).toBeGreaterThan(0);
    await publish(node, 'dss/put/after', 'still here');
    isDone = true;
    await traffic;
    expect(acknowledged).toBeGreaterThanOrEqual(before);
    const value = await dssJson(['get', 'neighbour', '--node', node.mqttUrl]);
    expect(value).toMatchObject({ value: String(acknowledged - 1) });
    await Promise.all([neighbour.endAsync(), reports.client.endAsync()]);
  });
});
