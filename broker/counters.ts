/** What one broker has done since it started; only `connections` goes down again. */
export interface Counters {
  /** Open now, clients and nodes alike. */
  connections: number;
  connectionsAccepted: number;
  /** MQTT packets of any kind, of clients. */
  packetsReceived: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  publishesReceived: number;
  puts: number;
  /** Put or delete without an outcome in time; at QoS 1 and 2 the client was disconnected to resend it. */
  putsFailed: number;
  requests: number;
  /** Event times before 2020 or more than a minute ahead of this node's clock. */
  timesNotBelieved: number;
  /** Values and ordinary messages sent to subscribers. */
  deliveries: number;
  /** Values that a newer one of the same key replaced before a slow subscriber could take them. */
  deliveriesConflated: number;
  /** Ordinary messages that a subscriber did not get: its queue was full, or they had expired in it. */
  messagesDropped: number;
  /** Values and answers not sent because they are longer than their client takes. */
  deliveriesTooLarge: number;
  /** How often a client that published faster than it may was read no further for a while. */
  publishPauses: number;
  /** Connections closed because what waited for them outgrew its bound. */
  slowSubscribers: number;
}

export function zeroCounters(): Counters {
  return {
    connections: 0,
    connectionsAccepted: 0,
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    publishesReceived: 0,
    puts: 0,
    putsFailed: 0,
    requests: 0,
    timesNotBelieved: 0,
    deliveries: 0,
    deliveriesConflated: 0,
    messagesDropped: 0,
    deliveriesTooLarge: 0,
    publishPauses: 0,
    slowSubscribers: 0,
  };
}
