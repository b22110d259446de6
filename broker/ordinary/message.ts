/** A message to an ordinary topic, on its way from one publisher to any number of subscribers. */
export interface Message {
  /**
   * Which message it is, in the whole cluster: the node that took it from its publisher, that node's start and a
   * number. A subscriber that is offered a message twice, live and from a store, knows it by that.
   */
  readonly id: string;
  readonly topic: string;
  /** Nobody changes it any more. */
  readonly payload: Uint8Array;
  /** As it was published. */
  readonly qos: 0 | 1 | 2;
  /** As it was published. */
  readonly retain: boolean;
  /**
   * The MQTT 5 properties that travel with it to the subscriber, as they stood in the PUBLISH: payload format,
   * content type, response topic, correlation data, user properties [MQTT-3.3.2-17] [MQTT-3.3.2-18]. Empty: none.
   */
  readonly properties: Uint8Array;
  /** Wall clock, milliseconds since 1970: nobody gets it later (MQTT 5 §3.3.2.3.3). Undefined: it does not expire. */
  readonly expiresAtMs: number | undefined;
  /** The client id of its publisher, for those who asked not to get their own; empty: the broker itself. */
  readonly from: string;
}

/** Of one SUBSCRIBE (MQTT 5 §3.8.3.1). 3.1.1 has but the QoS; the rest is as if not said. */
export interface SubscriptionOptions {
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Retained messages are sent: 0 always, 1 if the subscription is new, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
  /** Subscription identifier; 0: none. */
  readonly identifier: number;
}

/** `$share/<group>/<filter>`, or an ordinary filter with an empty group. */
export interface Filter {
  readonly group: string;
  readonly filter: string;
}

const SHARE = '$share/';

export function isSharedFilter(text: string): boolean {
  return text.startsWith(SHARE);
}

/** Takes a filter apart; undefined: it begins as a shared one and is none [MQTT-4.8.2-1] [MQTT-4.8.2-2]. */
export function parseFilter(text: string): Filter | undefined {
  if (!isSharedFilter(text)) return { group: '', filter: text };
  const end = text.indexOf('/', SHARE.length);
  const group = text.slice(SHARE.length, end === -1 ? undefined : end);
  const filter = end === -1 ? '' : text.slice(end + 1);
  if (group === '' || filter === '' || /[+#]/.test(group)) return undefined;
  return { group, filter };
}
