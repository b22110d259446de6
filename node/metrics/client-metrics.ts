import { counter, each, gauge, type MetricFamily } from './metric.ts';

/** What clients do at this node, and what they get. */
export const CLIENT_METRICS: MetricFamily = {
  title: 'Clients',
  metrics: [
    gauge(
      'dss_connections',
      'MQTT connections open now, those of other nodes included.',
      ({ broker }) => broker.counters.connections,
    ),
    counter(
      'dss_connections_accepted_total',
      'MQTT connections that were opened.',
      ({ broker }) => broker.counters.connectionsAccepted,
    ),
    counter(
      'dss_packets_received_total',
      'MQTT packets of clients, of any kind.',
      ({ broker }) => broker.counters.packetsReceived,
    ),
    counter(
      'dss_packets_sent_total',
      'MQTT packets to clients, of any kind.',
      ({ broker }) => broker.counters.packetsSent,
    ),
    counter(
      'dss_received_bytes_total',
      'Bytes received from MQTT clients.',
      ({ broker }) => broker.counters.bytesReceived,
    ),
    counter(
      'dss_sent_bytes_total',
      'Bytes sent to MQTT clients.',
      ({ broker }) => broker.counters.bytesSent,
    ),
    counter(
      'dss_publishes_received_total',
      'PUBLISH packets of clients: puts, requests and ordinary messages.',
      ({ broker }) => broker.counters.publishesReceived,
    ),
    counter(
      'dss_puts_total',
      'Values and deletes that MQTT clients handed in.',
      ({ broker }) => broker.counters.puts,
    ),
    counter(
      'dss_puts_failed_total',
      'Of them, those without an outcome in time; at QoS 1 and 2 the client sends them again.',
      ({ broker }) => broker.counters.putsFailed,
    ),
    each(
      'counter',
      'dss_requests_total',
      'Requests over MQTT that were answered, by verb and outcome: ok, or a code of docs/ERRORS.md.',
      ({ broker }) => broker.answers,
      { verb: ({ verb }) => verb, outcome: ({ outcome }) => outcome },
      ({ count }) => count,
    ),
    each(
      'counter',
      'dss_refusals_total',
      'What was refused, by the code of docs/ERRORS.md.',
      ({ broker }) => Object.entries(broker.counters.refused),
      { code: ([code]) => code },
      ([, count]) => count,
    ),
    counter(
      'dss_times_not_believed_total',
      "Event times before 2020 or more than a minute ahead of this node's clock.",
      ({ broker }) => broker.counters.timesNotBelieved,
    ),
    counter(
      'dss_publish_pauses_total',
      'How often a client that published faster than it may was read no further for a while.',
      ({ broker }) => broker.counters.publishPauses,
    ),
    counter(
      'dss_deliveries_total',
      'Values and ordinary messages sent to subscribers.',
      ({ broker }) => broker.counters.deliveries,
    ),
    counter(
      'dss_deliveries_conflated_total',
      'Values that a newer one of the same key replaced before a slow subscriber could take them.',
      ({ broker }) => broker.counters.deliveriesConflated,
    ),
    counter(
      'dss_deliveries_too_large_total',
      'Values and answers not sent because they are longer than their client takes.',
      ({ broker }) => broker.counters.deliveriesTooLarge,
    ),
    counter(
      'dss_messages_dropped_total',
      'Ordinary messages that a subscriber did not get: its queue was full, or they had expired.',
      ({ broker }) => broker.counters.messagesDropped,
    ),
    counter(
      'dss_slow_subscribers_total',
      'Connections closed because what waited for them outgrew its bound.',
      ({ broker }) => broker.counters.slowSubscribers,
    ),
    each(
      'gauge',
      'dss_sessions',
      'MQTT sessions: connected to this node, and away, of the whole cluster.',
      ({ broker }) => [
        { state: 'connected', count: broker.clientsConnected },
        { state: 'away', count: broker.clientsDisconnected },
      ],
      { state: ({ state }) => state },
      ({ count }) => count,
    ),
    gauge(
      'dss_session_messages_waiting',
      'Ordinary messages for clients connected here that are not sent yet.',
      ({ broker }) => broker.messagesWaiting,
    ),
    gauge(
      'dss_session_store_replicated',
      'Whether what sessions leave is in the store of the cluster (1) or only in memory for now (0).',
      ({ broker }) => broker.isStoreReplicated,
    ),
    gauge(
      'dss_subscriptions',
      'Subscriptions of clients connected here to ordinary topics.',
      ({ broker }) => broker.subscriptions,
    ),
    gauge(
      'dss_retained_messages',
      'Retained messages, those under dss/sys/ included.',
      ({ broker }) => broker.retainedMessages,
    ),
    gauge(
      'dss_watches',
      'Watches on keys that are open at this node, its own included, one for each group that they reach.',
      ({ member }) => member?.watches,
    ),
    each(
      'counter',
      'dss_ingest_messages_total',
      'Messages that an ingest rule matched at this node.',
      ({ member }) => member?.rules ?? [],
      { rule: ({ name }) => name },
      ({ messages }) => messages,
    ),
    each(
      'counter',
      'dss_ingest_writes_total',
      'Values and deletes that an ingest rule made at this node.',
      ({ member }) => member?.rules ?? [],
      { rule: ({ name }) => name },
      ({ stored, deleted }) => stored + deleted,
    ),
    each(
      'gauge',
      'dss_link_connected',
      'Whether a source or sink beside another broker is held by this node and connected.',
      ({ member }) => member?.links ?? [],
      { link: ({ name }) => name },
      ({ isConnected }) => isConnected,
    ),
    each(
      'counter',
      'dss_link_messages_total',
      'Messages taken from another broker, or acknowledged by it, at this node.',
      ({ member }) => member?.links ?? [],
      { link: ({ name }) => name },
      ({ messages }) => messages,
    ),
    each(
      'counter',
      'dss_link_ignored_total',
      'Messages of another broker that no rule made a value of, or that it refused.',
      ({ member }) => member?.links ?? [],
      { link: ({ name }) => name },
      ({ ignored }) => ignored,
    ),
  ],
};
