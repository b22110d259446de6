/**
 * Statements that our broker does not keep yet, with the reason. Their tests must fail: who makes one succeed takes
 * it off the list. Another broker (`DSS_MQTT_BROKER`) has no such list.
 */
export const NOT_YET_V311: Readonly<Record<string, string>> = {
  '[MQTT-3.1.4-3]': 'a session without subscriptions is not remembered',
  '[MQTT-3.2.2-2]': 'a session without subscriptions is not remembered: session present 0',
  '[MQTT-3.3.1-1]': 'what is sent again after a reconnection has DUP 0',
  '[MQTT-3.3.1-2]': 'DUP of the publisher is delivered, at QoS 0 too',
  '[MQTT-3.3.1-3]': 'DUP of the publisher is delivered',
  '[MQTT-3.3.5-1]': 'of overlapping subscriptions any one decides about the QoS',
  '[MQTT-3.8.4-3]': 'through a wildcard messages come at the QoS of the publisher',
  '[MQTT-3.8.4-4]': 'the same filter twice in one SUBSCRIBE: both codes are the last one',
  '[MQTT-3.8.4-6]': 'through a wildcard messages come at the QoS of the publisher',
  '[MQTT-3.10.4-2]': 'a PUBLISH right behind the UNSUBSCRIBE is still delivered',
};

export const NOT_YET_V5: Readonly<Record<string, string>> = {};

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
