import { encodePublish } from '../frame-encoder.ts';
import type { MessageEncoder } from './outgoing-message.ts';

const NO_PREFIX = new Uint8Array(0);

/** For clients of MQTT 3.1 and 3.1.1, who are not told what only MQTT 5 can say. */
export const encoder3: MessageEncoder = {
  index: 0,
  encode: ({ topic, payload }, flags) =>
    encodePublish(NO_PREFIX, Buffer.from(topic), payload, flags),
};
