import { AedesSessions } from '../broker/aedes.ts';
import { Broker } from '../broker/broker.ts';
import { DEFAULT_INGEST_LIMITS } from '../broker/ingest-rules/ingest-message.ts';
import { DEFAULT_LIMITS } from '../broker/limits.ts';
import { createMessageStore } from '../broker/stored/message-store.ts';
import type { ActiveNode } from './active-node.ts';
import type { AlertSettings } from './alerts/alerts.ts';
import { Beside, type BesideCluster } from './beside/beside.ts';
import { formatAddress, isLoopback } from './config/addresses.ts';
import type { NodeOptions } from './config/config.ts';
import { clientLimits } from './config/limits.ts';
import { DataPlaneUntilJoined } from './dataplane/until-joined.ts';
import { ConfiguredUsers } from './edge/authenticator.ts';
import { CLASSIC_LEVEL_ENGINE } from './edge/classic-level.ts';
import { lockData } from './edge/data-lock.ts';
import { openDoors } from './edge/doors.ts';
import { createEnv } from './edge/env.ts';
import { MQTT_BROKERS } from './edge/foreign-broker.ts';
import { HeapGrowth } from './edge/heap-growth.ts';
import { httpRoutes } from './edge/http-routes.ts';
import { keepNewSecret, keepSecret } from './edge/kept-secret.ts';
import { createLogger } from './edge/logger.ts';
import { ProcessLoad } from './edge/process-load.ts';
import { packageVersion } from './edge/version.ts';
import { webhookAt } from './edge/webhook.ts';
import { LSM_ENGINE } from './engine-choice.ts';
import type { Env } from './env.ts';
import { NodeError } from './errors.ts';
import { metaGroup } from './ring/slots.ts';
import type { SettingsService } from './settings/settings-service.ts';
import { describeStatus, describeSystem } from './status.ts';
import { type NodeEnd, StorageNode, type StorageNodeOptions } from './storage-node.ts';
import { SystemTopics } from './system-topics.ts';
import { MqttTransport } from './transport/mqtt.ts';
import { credentials } from './transport/secret.ts';

export { loadNodeOptions, type NodeOptions } from './config/config.ts';
export { type ExplainedSetting, explainConfig } from './config/explained.ts';
export { readJoinToken } from './edge/join-token.ts';
export { hashPassword } from './edge/password-hash.ts';
export { planRecovery, type RecoveryPlan } from './edge/recovery-plan.ts';

export interface RunningNode {
  /** Where it listens: `host:port`. */
  readonly mqtt: string;
  readonly http: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** Why somebody should look at how it can be reached; empty if all is well. */
  readonly warnings: readonly string[];
  /** Whether every shard has a leader, as far as this node knows. */
  hasLeaders(): boolean;
  /** Resolves when this node is no part of the cluster any more: it is to be closed then. */
  readonly ended: Promise<NodeEnd>;
  close(): Promise<void>;
}

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
    // The next start draws a new identity, and says so.
    if (error instanceof NodeError && error.code === 'BEGINS_ANEW') return startNode(options);
    throw error;
  }
}

async function compose(
  given: NodeOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<RunningNode> {
  const startedAtMs = Date.now();
  const unlock = await lockData(given.data);
  closers.push(unlock);
  const options = await withSecret(given);
  const env = createEnv(createLogger(options.logLevel, options.name));
  closers.push(() => env.offload.close());
  const addresses = { name: options.name, mqtt: '', http: '' };
  const dataPlane = new DataPlaneUntilJoined(env);
  const [user, ...others] = options.users;
  const authenticator = user === undefined ? undefined : new ConfiguredUsers([user, ...others]);

  let messagesDropped = () => 0;
  let onEnded: (end: NodeEnd) => void = () => {};
  const ended = new Promise<NodeEnd>((resolve) => {
    onEnded = resolve;
  });
  const { valueBytesMax } = options;
  const limits = { ...DEFAULT_INGEST_LIMITS, valueBytesMax };
  const brokerLimits = { ...DEFAULT_LIMITS, ...clientLimits(options), valueBytesMax };
  const beside = new Beside({ env, links: options.links, brokers: MQTT_BROKERS, limits });
  const load = new ProcessLoad(options.data);
  closers.push(async () => load.stop());
  const node = await openNode(options, env, {
    httpAddress: () => addresses.http,
    onEnded,
    load: () => ({ ...load.report(), links: beside.reports() }),
    alerts: alertSettings(options, () => messagesDropped()),
  });
  closers.push(() => node.stop());
  const broker = new Broker({
    env,
    dataPlane,
    clusterDoor: node.door,
    createSessions: (events) => new AedesSessions(node.identity.node, events),
    version: packageVersion(),
    host: { node: node.identity.node, startCounter: node.identity.startCounter },
    createPeers: (events) => {
      node.messages.start(events);
      return node.messages;
    },
    createStore: (events) => {
      const store = createMessageStore({ env, dataPlane, limits: brokerLimits, events });
      messagesDropped = () => broker.counters().messagesDropped + store.dropped;
      return store;
    },
    nodeName: options.name,
    limits: brokerLimits,
    onInvalid: options.onInvalid,
    authenticator,
    ingestRulesKnownFrom: 'useIngestRules',
  });
  await broker.start();
  const doors = await openDoors(
    broker,
    options,
    httpRoutes({ node, broker, env, options, load, authenticator, addresses, startedAtMs }),
  );
  closers.push(() => doors.close());
  const { host, mqttPort = doors.mqttPort } = options.advertise;
  addresses.mqtt = formatAddress(host, mqttPort);
  addresses.http = formatAddress(host, doors.httpPort);
  const warnings = securityWarnings(options);
  for (const message of warnings) {
    env.events.emit({ level: 'warn', name: 'open-to-others', message });
  }

  await node.join();
  // Not sooner: the token may be for another cluster than that of the secret that is kept here.
  if (options.isSecretOwn && options.join !== undefined) {
    await keepSecret(options.data, options.secret);
  }
  dataPlane.joined(node.dataPlane);
  load.follow(env, () => trafficOf(node.active, broker));
  followIngestRules(node.active.settings, broker);
  const heapGrowth = new HeapGrowth();
  closers.push(async () => heapGrowth.stop());
  const systemTopics = followSystem(node.active, broker, env);
  closers.push(async () => systemTopics.stop());
  beside.start(surroundings(node));
  closers.push(async () => beside.stop());
  return {
    mqtt: formatAddress(options.listen, doors.mqttPort),
    http: formatAddress(options.listen, doors.httpPort),
    mqttPort: doors.mqttPort,
    httpPort: doors.httpPort,
    warnings,
    hasLeaders: () => describeStatus(node, addresses).shards.every(({ leader }) => leader !== null),
    ended,
    close,
  };
}

/** A node that creates a cluster draws the secret if nobody has. */
async function withSecret(options: NodeOptions): Promise<NodeOptions> {
  const { data, secret, bootstrap } = options;
  if (secret !== '' || bootstrap === undefined) return options;
  return { ...options, secret: await keepNewSecret(data) };
}

/** A gigabyte in half an hour: of a disk's rate a hundredth. */
const SCRUB_BYTES_PER_SECOND = 512 * 1024;

function openNode(
  options: NodeOptions,
  env: Env,
  self: Required<Pick<StorageNodeOptions, 'httpAddress' | 'onEnded' | 'load' | 'alerts'>>,
): Promise<StorageNode> {
  const { advertise, tls } = options;
  return StorageNode.open({
    env,
    directory: options.data,
    name: options.name,
    mqttAddress: formatAddress(advertise.host, advertise.mqttPort ?? options.mqttPort),
    secret: options.secret,
    weight: options.weight,
    zone: options.zone,
    entrance: options,
    replicationFactor: options.replicationFactor,
    shardCount: options.shards,
    engine: options.storageEngine === 'classic-level' ? CLASSIC_LEVEL_ENGINE : LSM_ENGINE,
    memtableBytes: options.memtableBytes,
    roundsMaxWaitMs: options.roundsMaxWaitMs,
    deadAfterMs: options.deadAfterSeconds * 1_000,
    snapshotBytesPerSecond: options.moveBytesPerSecond,
    scrubBytesPerSecond: SCRUB_BYTES_PER_SECOND,
    verifyHours: options.verifyHours,
    storageMaxBytes: options.storageMaxBytes,
    initialRules: { retention: options.retention, ingest: options.ingest },
    ...self,
    transport: ({ node }) =>
      new MqttTransport({
        node,
        credentials: () => credentials(options.secret, node, env.random.bytes(16)),
        tls,
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

function alertSettings(options: NodeOptions, dropped: () => number): AlertSettings {
  const { alertRules: rules, alertsWebhook, data: directory } = options;
  const post = alertsWebhook === '' ? undefined : webhookAt(alertsWebhook);
  return { rules, directory, post, dropped };
}

/** The cluster, as sources and sinks beside it see it. */
function surroundings({ identity, active }: StorageNode): BesideCluster {
  const { genesis, members, dataPlane, settings, host } = active;
  const leadsMeta = () => host.replica(metaGroup)?.raft.role === 'leader';
  const { clusterId } = genesis;
  return { clusterId, own: identity.node, dataPlane, members, settings, leadsMeta };
}

function trafficOf({ dataPlane }: ActiveNode, broker: Broker) {
  const { publishesReceived: publishes, puts, connections } = broker.counters();
  return { publishes, puts, connections, commitCounts: dataPlane.commitLatency.counts() };
}

/** The broker acknowledges no ordinary message before it knows which are to be stored. */
function followIngestRules(settings: SettingsService, broker: Broker): void {
  settings.onChange(({ ingest }) => broker.useIngestRules(ingest));
  if (settings.isKnown) broker.useIngestRules(settings.current.ingest);
}

/** What is allowed, because somebody said so, but should be known. */
function securityWarnings({ listen, users, tls }: NodeOptions): string[] {
  if (isLoopback(listen)) return [];
  if (users.length === 0) {
    return [
      `everybody who can reach ${listen} may read, write and delete everything (--anonymous)`,
    ];
  }
  if (tls !== undefined) return [];
  return [
    `passwords and values travel to ${listen} without TLS: others on the network can read them`,
  ];
}

function followSystem(active: ActiveNode, broker: Broker, env: Env): SystemTopics {
  const topics = new SystemTopics({ env, board: broker, facts: () => describeSystem(active) });
  active.map.onChange(() => topics.changed());
  active.settings.onChange(() => topics.changed());
  active.alerts.onChange(() => topics.changed());
  topics.start();
  return topics;
}
