import { LazyMap } from '../lazy-map.ts';
import type { PublishView } from '../packet-reader.ts';
import { type Ending, protocolError, ReasonCode } from './reason-codes.ts';

/** How many a client may use. */
export const TOPIC_ALIAS_MAXIMUM = 32;

/** The short numbers that one client has given to topics, on one connection (MQTT 5 §3.3.2.3.4). */
export class TopicAliases {
  readonly #topics = new LazyMap<number, Uint8Array>();

  /** Remembers an alias, or puts the topic where only its alias stands. Returns why that is wrong. */
  resolve(publish: PublishView): Ending | undefined {
    const alias = publish.properties?.topicAlias;
    const { buffer, topicStart, topicEnd } = publish;
    if (alias === undefined) {
      return topicStart === topicEnd ? protocolError('neither a topic nor an alias') : undefined;
    }
    // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
    if (alias === 0 || alias > TOPIC_ALIAS_MAXIMUM) {
      const reason = `topic alias ${alias}; allowed are 1 to ${TOPIC_ALIAS_MAXIMUM}`;
      return { code: ReasonCode.topicAliasInvalid, reason };
    }
    if (topicStart < topicEnd) {
      this.#topics.set(alias, buffer.slice(topicStart, topicEnd));
      return undefined;
    }
    const topic = this.#topics.get(alias);
    if (topic === undefined) return protocolError(`nothing has the topic alias ${alias}`);
    spell(publish, topic);
    return undefined;
  }
}

/** Topic and payload have to lie in one buffer. */
function spell(publish: PublishView, topic: Uint8Array): void {
  const payload = publish.buffer.subarray(publish.payloadStart, publish.payloadEnd);
  publish.buffer = Buffer.concat([topic, payload]);
  publish.topicStart = 0;
  publish.topicEnd = topic.length;
  publish.payloadStart = topic.length;
  publish.payloadEnd = publish.buffer.length;
}
