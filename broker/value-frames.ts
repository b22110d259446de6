import type { WatchedValue } from './data-plane.ts';
import { encodePublish, type PublishFrame } from './frame-encoder.ts';

const VALUE_PREFIX: Uint8Array = new TextEncoder().encode('dss/value/');
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
  /** By QoS and retain flag. */
  readonly #frames: (PublishFrame | undefined)[] = [undefined, undefined, undefined, undefined];

  encode(
    item: WatchedValue,
    flags: { readonly qos: 0 | 1; readonly retain: boolean },
  ): PublishFrame {
    if (!this.#remembers(item)) {
      this.#key = item.key;
      this.#value = item.value;
      this.#version = item.version;
      this.#deleted = item.deleted;
      this.#frames.fill(undefined);
    }
    const slot = 2 * flags.qos + (flags.retain ? 1 : 0);
    const payload = item.deleted ? NO_PAYLOAD : item.value;
    return (this.#frames[slot] ??= encodePublish(VALUE_PREFIX, item.key, payload, flags));
  }

  #remembers(item: WatchedValue): boolean {
    return (
      item.key === this.#key &&
      item.value === this.#value &&
      item.version === this.#version &&
      item.deleted === this.#deleted
    );
  }
}
