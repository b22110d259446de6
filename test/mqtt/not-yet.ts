// Statements that our broker does not keep yet, with the reason. Their tests must fail: who makes one succeed takes it
// off the list. Another broker (`DSS_MQTT_BROKER`) has no such list.

const NO_SUBSCRIPTIONS = 'a session without subscriptions is not remembered';
const PUBLISHER_DUP = 'DUP of the publisher is delivered';
const PUBLISHER_QOS = 'through a wildcard messages come at the QoS of the publisher';
const NO_SHARES = '$share is refused';
const NO_IDS = 'subscription ids are refused';
const NO_OPTIONS = 'aedes delivers ordinary messages, and knows no subscription options';
const NO_DELAY = 'a will is not delayed';

export const NOT_YET_V311: Readonly<Record<string, string>> = {
  '[MQTT-3.1.4-3]': NO_SUBSCRIPTIONS,
  '[MQTT-3.2.2-2]': NO_SUBSCRIPTIONS,
  '[MQTT-3.3.1-1]': 'what is sent again after a reconnection has DUP 0',
  '[MQTT-3.3.1-2]': `${PUBLISHER_DUP}, at QoS 0 too`,
  '[MQTT-3.3.1-3]': PUBLISHER_DUP,
  '[MQTT-3.3.5-1]': 'of overlapping subscriptions any one decides about the QoS',
  '[MQTT-3.8.4-3]': PUBLISHER_QOS,
  '[MQTT-3.8.4-4]': 'the same filter twice in one SUBSCRIBE: both codes are the last one',
  '[MQTT-3.8.4-6]': PUBLISHER_QOS,
  '[MQTT-3.10.4-2]': 'a PUBLISH right behind the UNSUBSCRIBE is still delivered',
};

export const NOT_YET_V5: Readonly<Record<string, string>> = {
  '[MQTT-3.1.2-7]': NO_DELAY,
  '[MQTT-3.1.3-9]': NO_DELAY,
  '[MQTT-3.1.4-4]': NO_SUBSCRIPTIONS,
  '[MQTT-3.2.2-3]': NO_SUBSCRIPTIONS,
  '[MQTT-3.2.2-19]': 'a refused CONNECT is told why, however small its Maximum Packet Size',
  '[MQTT-3.3.1-1]': 'what is sent again after a reconnection has DUP 0',
  '[MQTT-3.3.1-2]': `${PUBLISHER_DUP}, at QoS 0 too`,
  '[MQTT-3.3.1-3]': PUBLISHER_DUP,
  '[MQTT-3.3.1-10]': NO_OPTIONS,
  '[MQTT-3.3.1-11]': NO_OPTIONS,
  '[MQTT-3.3.1-13]': NO_OPTIONS,
  '[MQTT-3.3.4-2]': 'of overlapping subscriptions any one decides about the QoS',
  '[MQTT-3.3.4-3]': NO_IDS,
  '[MQTT-3.3.4-4]': NO_IDS,
  '[MQTT-3.8.3-3]': NO_OPTIONS,
  '[MQTT-3.8.4-3]': PUBLISHER_QOS,
  '[MQTT-3.8.4-8]': PUBLISHER_QOS,
  '[MQTT-3.10.4-2]': 'a PUBLISH right behind the UNSUBSCRIBE is still delivered',
  '[MQTT-4.1.0-2]': NO_SUBSCRIPTIONS,
  '[MQTT-4.8.2-2]': NO_SHARES,
  '[MQTT-4.8.2-3]': NO_SHARES,
  '[MQTT-4.8.2-4]': NO_SHARES,
  '[MQTT-4.8.2-5]': NO_SHARES,
  '[MQTT-4.8.2-6]': NO_SHARES,
};

const NO_MQTT5 = 'MQTT 5 is refused';

/** Files that are not run at all, by name without `.test.ts`. */
export const FILES_NOT_YET: Readonly<Record<string, string>> = {
  'v5/connack': NO_MQTT5,
  'v5/connect': NO_MQTT5,
  'v5/disconnect': NO_MQTT5,
  'v5/flags': NO_MQTT5,
  'v5/flow': NO_MQTT5,
  'v5/message-properties': NO_MQTT5,
  'v5/publish': NO_MQTT5,
  'v5/retained': NO_MQTT5,
  'v5/sessions': NO_MQTT5,
  'v5/shared': NO_MQTT5,
  'v5/strings': NO_MQTT5,
  'v5/subscribe': NO_MQTT5,
  'v5/wills': NO_MQTT5,
};
