import { versionToUnixMs, type WatchedValue } from './data-plane.ts';
import { encodePublish, type PublishFrame } from './frame-encoder.ts';
import { utf8Text } from './json.ts';
import { encodePropertyBlock, type Properties } from './mqtt5/properties.ts';
import type { ValueForm } from './topics.ts';
import { describeHistoric } from './value-json.ts';

/** How a value is sent to one subscriber. */
export interface Delivery {
  readonly form: ValueForm;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Of the subscriptions that it is for, those that they were given (MQTT 5 §3.8.2.1.2). */
  readonly identifiers: readonly number[];
}

/** The frames that all connections of a broker share, by the form of their PUBLISHes. */
export interface SharedFrames {
  readonly plain: ValueFrames;
  readonly mqtt5: ValueFrames;
}

export function sharedFrames(): SharedFrames {
  const mqtt5 = (item: WatchedValue, delivery: Delivery) =>
    encodePropertyBlock(propertiesOf(item, delivery));
  return { plain: new ValueFrames(() => NO_BYTES), mqtt5: new ValueFrames(mqtt5) };
}

const encoder = new TextEncoder();
const PREFIX: Readonly<Record<ValueForm, Uint8Array>> = {
  value: encoder.encode('dss/value/'),
  watch: encoder.encode('dss/watch/'),
};
const NO_BYTES = new Uint8Array(0);

/**
 * Encodes values as PUBLISH packets, once for all subscribers: a change reaches its watchers one after the
 * other, so remembering the last value's frames is enough.
 */
export class ValueFrames {
  #key: Uint8Array | undefined;
  #value: Uint8Array | undefined;
  #version = 0;
  #deleted = false;
  #snapshot = false;
  /** By form, QoS and retain flag. */
  readonly #frames = new Array<PublishFrame | undefined>(8).fill(undefined);
  /** What stands between head and payload. */
  readonly #properties: (item: WatchedValue, delivery: Delivery) => Uint8Array;

  constructor(properties: (item: WatchedValue, delivery: Delivery) => Uint8Array) {
    this.#properties = properties;
  }

  encode(item: WatchedValue, delivery: Delivery): PublishFrame {
    if (!this.#remembers(item)) {
      this.#key = item.key;
      this.#value = item.value;
      this.#version = item.version;
      this.#deleted = item.deleted;
      this.#snapshot = item.snapshot;
      this.#frames.fill(undefined);
    }
    const { form, qos, retain } = delivery;
    const slot = (form === 'watch' ? 4 : 0) + 2 * qos + (retain ? 1 : 0);
    if (delivery.identifiers.length > 0) return this.#encode(item, delivery);
    return (this.#frames[slot] ??= this.#encode(item, delivery));
  }

  #encode(item: WatchedValue, delivery: Delivery): PublishFrame {
    const { form } = delivery;
    return encodePublish(
      PREFIX[form],
      item.key,
      form === 'watch' ? watchPayload(item) : item.deleted ? NO_BYTES : item.value,
      delivery,
      this.#properties(item, delivery),
    );
  }

  #remembers(item: WatchedValue): boolean {
    return (
      item.key === this.#key &&
      item.value === this.#value &&
      item.version === this.#version &&
      item.deleted === this.#deleted &&
      item.snapshot === this.#snapshot
    );
  }
}

/** A raw value has no room for them (DESIGN §7); JSON says them itself. */
function propertiesOf(item: WatchedValue, { form, identifiers }: Delivery): Properties {
  const times = [
    ['version', String(item.version)],
    ['time', String(versionToUnixMs(item.time))],
  ] as const;
  return {
    ...(form === 'value' ? { userProperties: times } : {}),
    ...(identifiers.length === 0 ? {} : { subscriptionIdentifiers: identifiers }),
  };
}

function watchPayload(item: WatchedValue): Uint8Array {
  const { key, snapshot } = item;
  const json = JSON.stringify({ key: utf8Text(key), ...describeHistoric(item), snapshot });
  return encoder.encode(json);
}
