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

  encode(item: WatchedValue, delivery: Delivery): PublishFrame {
    if (item.snapshot) return encodeValue(item, delivery);
    const { form, qos, retain } = delivery;
    const slot = (form === 'watch' ? 4 : 0) + 2 * qos + (retain ? 1 : 0);
    const frames = this.#framesOf(item);
    return (frames[slot] ??= this.#remember(encodeValue(item, delivery)));
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

function encodeValue(item: WatchedValue, delivery: Delivery): PublishFrame {
  const { form } = delivery;
  const { key, value, deleted } = item;
  const payload = form === 'watch' ? watchPayload(item) : deleted ? NO_PAYLOAD : value;
  return encodePublish(PREFIX[form], key, payload, delivery);
}

function watchPayload(item: WatchedValue): Uint8Array {
  const { key, snapshot } = item;
  const json = JSON.stringify({ key: utf8Text(key), ...describeHistoric(item), snapshot });
  return encoder.encode(json);
}
