import { statfs } from 'node:fs/promises';
import { AedesSessions } from '../broker/aedes.ts';
import { Broker } from '../broker/broker.ts';
import { listenTcp } from '../broker/server.ts';
import type { NodeOptions } from './config/config.ts';
import { DataPlaneUntilJoined } from './dataplane/until-joined.ts';
import { lockDirectory } from './edge/directory-lock.ts';
import { createEnv } from './edge/env.ts';
import { createLogger } from './edge/logger.ts';
import type { Env } from './env.ts';
import { NodeError } from './errors.ts';
import { serveHttp } from './http/server.ts';
import {
  describeAlerts,
  describeDurability,
  describeNodes,
  describePlace,
  describeStatus,
} from './status.ts';
import { StorageNode } from './storage-node.ts';
import { MqttTransport } from './transport/mqtt.ts';
import { credentials } from './transport/secret.ts';

export { loadNodeOptions, type NodeOptions } from './config/config.ts';

export interface RunningNode {
  readonly mqttPort: number;
  readonly httpPort: number;
  close(): Promise<void>;
}

const SYSTEM_TOPICS_MS = 1_000;

/** Composes one process: a storage node, its MQTT broker and its HTTP server. Resolves when it has joined. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await compose(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  options: NodeOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<RunningNode> {
  const startedAtMs = Date.now();
  const unlock = await lockDirectory(options.data);
  closers.push(unlock);
  const env = createEnv(createLogger(options.logLevel, options.name));
  closers.push(() => env.offload.close());
  const addresses = { name: options.name, mqtt: '', http: '' };
  const dataPlane = new DataPlaneUntilJoined(env);

  const node = await openNode(options, env, () => addresses.http);
  closers.push(() => node.stop());
  const broker = new Broker({
    env,
    dataPlane,
    clusterDoor: node.door,
    createSessions: (events) => new AedesSessions(node.identity.node, events),
    nodeName: options.name,
    limits: { valueBytesMax: options.valueBytesMax },
    onInvalid: options.onInvalid,
  });
  await broker.start();
  const listener = await listenTcp(broker, { host: options.host, port: options.mqttPort }).catch(
    (error) => portTaken(error, 'MQTT', options.host, options.mqttPort),
  );
  closers.push(async () => {
    const closed = listener.close();
    await broker.close();
    await closed;
  });
  addresses.mqtt = `${options.host}:${listener.address.port}`;
  const http = await serveHttp(
    { host: options.host, port: options.httpPort },
    {
      status: () => ({
        ...describeStatus(node, addresses),
        broker: broker.counters(),
        process: describeProcess(startedAtMs),
      }),
      where: (key) => (node.hasJoined ? describePlace(node.active, key) : undefined),
    },
  ).catch((error) => portTaken(error, 'HTTP', options.host, options.httpPort));
  closers.push(() => http.close());
  addresses.http = `${options.host}:${http.port}`;

  await node.join();
  dataPlane.joined(node.dataPlane);
  const stopPublishing = env.timers.every(SYSTEM_TOPICS_MS, publishChanges(broker, node));
  closers.push(async () => stopPublishing());
  return { mqttPort: listener.address.port, httpPort: http.port, close };
}

function openNode(options: NodeOptions, env: Env, httpAddress: () => string): Promise<StorageNode> {
  const mqttAddress = `${options.host}:${options.mqttPort}`;
  return StorageNode.open({
    env,
    directory: options.data,
    name: options.name,
    mqttAddress,
    httpAddress,
    secret: options.secret,
    peers: options.peers,
    replicationFactor: options.replicationFactor,
    shardCount: options.shards,
    memtableBytes: options.memtableBytes,
    load: measureLoad(options.data),
    transport: ({ node }) =>
      new MqttTransport({
        node,
        credentials: () => credentials(options.secret, node, env.random.bytes(16)),
      }),
    onFatal: (error) => {
      env.events.emit({
        level: 'error',
        name: 'storage-failed',
        message: `the storage of this node failed, and what reached the disk is unknown: ${error.message}. The process ends; start it again.`,
      });
      process.exit(1);
    },
  });
}

/** Retained `dss/sys/…` topics, published when they change. */
function publishChanges(broker: Broker, node: StorageNode): () => void {
  const published = new Map<string, string>();
  const publish = (topic: string, content: object) => {
    const text = JSON.stringify(content);
    if (published.get(topic) === text) return;
    published.set(topic, text);
    broker.publishSystem(topic, content);
  };
  return () => {
    const { active } = node;
    const { cluster } = describeStatus(node, { name: '', mqtt: '', http: '' });
    publish('cluster', { id: cluster.id, state: cluster.state });
    publish('durability', describeDurability(active));
    for (const { id, name, state, mqtt, http } of describeNodes(active)) {
      publish(`nodes/${id}`, { id, name, state, mqtt, http });
    }
    for (const { name, message } of describeAlerts(active))
      publish(`alerts/${name}`, { name, message });
  };
}

function describeProcess(startedAtMs: number) {
  const { user, system } = process.cpuUsage();
  return {
    processId: process.pid,
    uptimeMs: Date.now() - startedAtMs,
    cpuUserMicros: user,
    cpuSystemMicros: system,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** Memory and disk, as of the last time somebody asked. */
function measureLoad(directory: string) {
  let disk = { diskUsedBytes: 0, diskTotalBytes: 0 };
  return () => {
    void statfs(directory).then(
      ({ bsize, blocks, bavail }) => {
        disk = { diskUsedBytes: (blocks - bavail) * bsize, diskTotalBytes: blocks * bsize };
      },
      () => {},
    );
    return { memoryBytes: process.memoryUsage.rss(), ...disk };
  };
}

function portTaken(error: NodeJS.ErrnoException, what: string, host: string, port: number): never {
  if (error.code !== 'EADDRINUSE') throw error;
  throw new NodeError(
    'PORT_TAKEN',
    `the ${what} port ${port} on ${host} is taken by another program; choose another with --${what.toLowerCase()}-port.`,
    { cause: error },
  );
}
