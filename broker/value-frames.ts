import type { WatchedValue } from './data-plane.ts';
import { encodePublish, type PublishFrame } from './frame-encoder.ts';
import { utf8Text } from './json.ts';
import type { ValueForm } from './topics.ts';
import { describeHistoric } from './value-json.ts';

/** How a value is sent to one subscriber. */
export interface Delivery {
  readonly form: ValueForm;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

const encoder = new TextEncoder();
const PREFIX: Readonly<Record<ValueForm, Uint8Array>> = {
  value: encoder.encode('dss/value/'),
  watch: encoder.encode('dss/watch/'),
};
const NO_PAYLOAD = new Uint8Array(0);

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
    return (this.#frames[slot] ??= encodePublish(
      PREFIX[form],
      item.key,
      form === 'watch' ? watchPayload(item) : item.deleted ? NO_PAYLOAD : item.value,
      delivery,
    ));
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

function watchPayload(item: WatchedValue): Uint8Array {
  const { key, snapshot } = item;
  const json = JSON.stringify({ key: utf8Text(key), ...describeHistoric(item), snapshot });
  return encoder.encode(json);
}
