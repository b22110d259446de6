import { versionToUnixMs, type WatchedValue } from './data-plane.ts';
import { encodePublish, type PublishFrame } from './frame-encoder.ts';
import { encodePropertyBlock, type Properties } from './mqtt5/properties.ts';
import type { ValueForm } from './topics.ts';
import { describeWatched } from './value-json.ts';

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

/** By form, QoS and retain flag. */
type Frames = (PublishFrame | undefined)[];

/** Frames of so many bytes are remembered at most: an entry of the log, which is what watchers are told at a time. */
const REMEMBERED_BYTES_MAX = 1024 * 1024;
/** What a frame costs beside its bytes, roughly. */
const FRAME_BYTES = 128;

/**
 * Encodes values as PUBLISH packets, once for all subscribers. They are told one after the other, each all changes of
 * an entry of the log, which come to all of them as the same objects.
 */
export class ValueFrames {
  readonly #remembered = new Map<WatchedValue, Frames>();
  #rememberedBytes = 0;
  /** What stands between head and payload. */
  readonly #properties: (item: WatchedValue, delivery: Delivery) => Uint8Array;

  constructor(properties: (item: WatchedValue, delivery: Delivery) => Uint8Array) {
    this.#properties = properties;
  }

  encode(item: WatchedValue, delivery: Delivery): PublishFrame {
    const { form, qos, retain, identifiers } = delivery;
    if (item.snapshot || identifiers.length > 0) return this.#encode(item, delivery);
    const slot = (form === 'watch' ? 4 : 0) + 2 * qos + (retain ? 1 : 0);
    const frames = this.#framesOf(item);
    return (frames[slot] ??= this.#remember(this.#encode(item, delivery)));
  }

  #encode(item: WatchedValue, delivery: Delivery): PublishFrame {
    const { form } = delivery;
    const { key, value, deleted } = item;
    const payload = form === 'watch' ? watchPayload(item) : deleted ? NO_BYTES : value;
    const properties = this.#properties(item, delivery);
    return encodePublish(PREFIX[form], key, payload, delivery, properties);
  }

  #framesOf(item: WatchedValue): Frames {
    let frames = this.#remembered.get(item);
    if (frames === undefined) {
      frames = [];
      this.#remembered.set(item, frames);
    }
    return frames;
  }

  #remember(frame: PublishFrame): PublishFrame {
    this.#rememberedBytes += frame.bytes.length + FRAME_BYTES;
    if (this.#rememberedBytes > REMEMBERED_BYTES_MAX) {
      this.#remembered.clear();
      this.#rememberedBytes = 0;
    }
    return frame;
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
  return encoder.encode(JSON.stringify(describeWatched(item)));
}
