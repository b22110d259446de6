/** Bounds of one broker. They are per connection unless they say otherwise. */
export interface BrokerLimits {
  /** The largest value a put may carry (DESIGN §3). */
  readonly valueBytesMax: number;
  /** The largest MQTT packet of a client, without its fixed header. */
  readonly packetBytesMax: number;
  /** The same for a node of the cluster. */
  readonly clusterPacketBytesMax: number;
  /** The largest CONNECT: all a stranger can make a node hold before it is known. */
  readonly connectBytesMax: number;
  readonly keyBytesMax: number;
  /** How long a connection may take until its CONNECT is accepted. */
  readonly connectTimeoutMs: number;
  /** Puts and requests without an outcome; reading stops there. */
  readonly inflightPutsMax: number;
  /** Own QoS 1 deliveries without a PUBACK; later ones wait in the outbox. */
  readonly inflightDeliveriesMax: number;
  /** What may wait in the outbox before the connection is closed as too slow. */
  readonly outboxBytesMax: number;
  /** Unsent output at which nothing more is read: a client that does not read gets no more answers. */
  readonly outputBytesMax: number;
  /** Subscriptions to values that are open at a time. */
  readonly watchesMax: number;
  /** Subscriptions of any kind. */
  readonly subscriptionsMax: number;
  /** Of ordinary topics and of filters; at most `LEVELS_MAX`. */
  readonly topicLevelsMax: number;
  /** Clients connected to this node; nodes do not count, and are never kept out. */
  readonly connectionsMax: number;
  /** Connections that have not said yet who they are. */
  readonly strangersMax: number;
  /** CONNECTs of clients that this node takes; after a quiet time those of `connectBurstSeconds` at once. 0: any. */
  readonly connectionsPerSecond: number;
  readonly connectBurstSeconds: number;
  /** Connections of one user to this node. 0: any number; without users there is no limit either. */
  readonly connectionsPerUserMax: number;
  /** Sessions that outlive their connections, of the whole cluster, as every node has all of them in memory. */
  readonly sessionsMax: number;
  /**
   * What a client may publish, in messages and in bytes of their packets; after a quiet time that of
   * `publishBurstSeconds` at once. Over it, nothing is read for a while. 0: any.
   */
  readonly publishesPerSecond: number;
  readonly publishBytesPerSecond: number;
  readonly publishBurstSeconds: number;
  /** A message for which a client would have to be paused longer is far over its rate: it is refused. */
  readonly publishPauseMsMax: number;
  /** How long a message may wait for the ingest rules to become known. */
  readonly rulesTimeoutMs: number;
  /** What is handled in one turn, over all connections; the rest waits, so that a flood starves nobody. */
  readonly readBytesPerTurn: number;
  /** What all connections together take of snapshots and backlogs in one turn. */
  readonly bulkDeliveriesPerTurn: number;
  /** So many connections of a client closed by refusals within `refusalPeriodMs` bar it for `barMs`. */
  readonly refusalsMax: number;
  readonly refusalPeriodMs: number;
  readonly barMs: number;
  /** How many clients are remembered for that; the one refused longest ago is forgotten first. */
  readonly refusedClientsMax: number;
  /**
   * What waits for a client that is connected and does not keep up, and what a node adds to the queue of a session that
   * is away, until it is back; more is dropped.
   */
  readonly queuedMessagesMax: number;
  readonly queuedBytesMax: number;
  /** A message is queued no longer than this. */
  readonly queuedSecondsMax: number;
  /** Of all sessions and retained messages: what may wait for a quorum in memory; queued messages give way first. */
  readonly unstoredWritesMax: number;
  readonly unstoredBytesMax: number;
  /** How long an unfinished put holds back the acknowledgements of later ones. */
  readonly ackPassAfterMs: number;
  /** A connection without quorum is closed after a random part of this. */
  readonly closeJitterMs: number;
  /** How long a closed connection may take to read what was written last. */
  readonly lingerMs: number;
  /** How long `close` waits for outcomes. */
  readonly closeTimeoutMs: number;
}

/** The clock of a device may be ahead of ours by so much; a time beyond is wrong, not early. */
export const CLOCK_AHEAD_MAX_MS = 60_000;

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: BrokerLimits = {
  valueBytesMax: MIB,
  packetBytesMax: 2 * MIB,
  clusterPacketBytesMax: 8 * MIB,
  connectBytesMax: 160 * KIB,
  keyBytesMax: 1024,
  connectTimeoutMs: 10_000,
  inflightPutsMax: 20_000,
  inflightDeliveriesMax: 1_000,
  outboxBytesMax: 16 * MIB,
  outputBytesMax: MIB,
  watchesMax: 1_000,
  subscriptionsMax: 2_000,
  topicLevelsMax: 100,
  connectionsMax: 10_000,
  strangersMax: 10_000,
  connectionsPerSecond: 1_000,
  connectBurstSeconds: 5,
  connectionsPerUserMax: 0,
  sessionsMax: 50_000,
  publishesPerSecond: 0,
  publishBytesPerSecond: 0,
  publishBurstSeconds: 2,
  publishPauseMsMax: 10_000,
  rulesTimeoutMs: 10_000,
  readBytesPerTurn: 128 * KIB,
  bulkDeliveriesPerTurn: 250,
  refusalsMax: 3,
  refusalPeriodMs: 60_000,
  barMs: 30_000,
  refusedClientsMax: 10_000,
  queuedMessagesMax: 1_000,
  queuedBytesMax: MIB,
  queuedSecondsMax: 14 * 24 * 60 * 60,
  unstoredWritesMax: 20_000,
  unstoredBytesMax: 16 * MIB,
  ackPassAfterMs: 100,
  closeJitterMs: 5_000,
  lingerMs: 1_000,
  closeTimeoutMs: 5_000,
};
