import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { eventually } from '../../support/eventually.ts';
import {
  dss,
  type FinishedProcess,
  type RunningProcess,
  runProcess,
  startProcess,
} from './processes.ts';
import type { ClusterNode } from './test-cluster.ts';

/** `mosquitto_pub` at QoS 1: it ends when the PUBACK is there. */
export function publish(
  node: ClusterNode,
  topic: string,
  payload: string,
  ...flags: string[]
): Promise<FinishedProcess> {
  const message = payload === '' ? ['-n'] : ['-m', payload];
  const args = ['-p', String(node.mqttPort), '-q', '1', '-t', topic, ...message, ...flags];
  return runProcess('mosquitto_pub', args);
}

/** A `mosquitto_sub` that prints `retain|topic|payload`. */
export function subscribe(node: ClusterNode, filter: string, ...flags: string[]): RunningProcess {
  const args = ['-p', String(node.mqttPort), '-q', '1', '-t', filter, '-F', '%r|%t|%p', ...flags];
  return startProcess('mosquitto_sub', args);
}

export async function connectMqtt(
  node: ClusterNode,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const clientId = `test-${randomBytes(6).toString('hex')}`;
  return mqtt.connectAsync(node.mqttUrl, { clientId, reconnectPeriod: 0, ...options });
}

/** Messages of one subscription, gathered. */
export interface Gathered {
  readonly client: MqttClient;
  readonly messages: { topic: string; payload: string; retain: boolean }[];
  until(what: string, reached: () => boolean): Promise<void>;
}

export async function gather(
  node: ClusterNode,
  filter: string,
  options: IClientOptions = {},
): Promise<Gathered> {
  const client = await connectMqtt(node, options);
  const messages: Gathered['messages'] = [];
  client.on('message', (topic, payload, { retain }) => {
    messages.push({ topic, payload: payload.toString(), retain });
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return {
    client,
    messages,
    until: async (what, reached) => {
      await eventually(what, () => (reached() ? true : undefined));
    },
  };
}

/** The object that a command printed with `--json`. */
export async function dssJson(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await dss([...args, '--json']);
  if (code !== 0) throw new Error(`dss ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

export interface RecordedReading {
  readonly key: string;
  readonly seq: number;
  readonly value: string;
  readonly sentMs: number;
  readonly acknowledgedMs: number;
}

export async function readRecord(path: string): Promise<RecordedReading[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as RecordedReading);
}

/** Every key and value under a prefix, as a node answers `dss list --all --values`. */
export async function readAll(node: ClusterNode, prefix: string): Promise<Map<string, string>> {
  const args = ['list', prefix, '--all', '--values', '--json', '--node', node.mqttUrl];
  const { code, stdout, stderr } = await dss(args);
  if (code !== 0) throw new Error(`dss list ended with ${code}: ${stderr}`);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const { key, value } = JSON.parse(line) as { key: string; value: string };
      return [key, value];
    }),
  );
}
