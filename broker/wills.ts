import type { Access } from './access.ts';
import { type Answer, answer } from './answers.ts';
import { identityOf } from './cas.ts';
import type { ConnectWill } from './connect-packet.ts';
import type { BrokerContext } from './context.ts';
import type { LooseMessages, Sender } from './loose-messages.ts';
import type { Properties } from './mqtt5/properties.ts';
import { travelling } from './mqtt5/travelling.ts';
import type { StoredWill } from './ordinary/store.ts';
import { type Forbidden, forbiddenIn, forbiddenToWrite } from './permissions.ts';
import { type Publication, readPublication } from './publication.ts';
import type { Request } from './requests.ts';
import { isOurTopic, isSystemTopic } from './topics.ts';

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: Properties;
}

/**
 * Why a client may not leave a will. It is asked when it connects, as nobody is there to be told later; what an
 * ingest rule makes of a will is not known before.
 */
export function forbiddenWill(
  context: Pick<BrokerContext, 'limits' | 'env'>,
  will: Will,
  access: Access,
): Forbidden | undefined {
  const { topic, buffer, publication } = readWill(context, will);
  if (publication === undefined) {
    if (isSystemTopic(topic, 0, topic.length)) return undefined;
    return forbiddenToWrite(access, topic, 0, topic.length);
  }
  return publication.kind === 'refused' ? undefined : forbiddenIn(access, publication, buffer);
}

/** Wills go the way of any other PUBLISH (DESIGN §7), but nobody waits for an acknowledgement. */
export class Wills {
  readonly #context: BrokerContext;
  readonly #loose: LooseMessages;

  constructor(context: BrokerContext) {
    this.#context = context;
    this.#loose = context.looseMessages;
  }

  /**
   * A client has gone without a word. What its will writes or asks was allowed when it connected, and rights do not
   * change while a node runs. Returns whether the session layer is to deliver the will.
   */
  left(will: Will, client: { readonly clientId: string; readonly access: Access }): boolean {
    const sender = { ...client, address: 'will' };
    const { buffer, publication } = readWill(this.#context, will);
    if (publication === undefined) return this.#loose.mayLeave(will, sender);
    if (publication.kind === 'refused') {
      const { code, message } = publication;
      this.#context.refusals.report({ code, message, topic: will.topic }, sender, 'PUBLISH');
      return false;
    }
    this.#carryOut(will, publication, buffer, sender);
    return false;
  }

  #carryOut(
    will: Will,
    publication: Exclude<Publication, { kind: 'refused' }>,
    buffer: Uint8Array,
    sender: Sender,
  ): void {
    switch (publication.kind) {
      case 'write': {
        const { keyStart, keyEnd, valueStart, valueEnd } = publication;
        const key = buffer.subarray(keyStart, keyEnd);
        const value = buffer.subarray(valueStart, valueEnd);
        this.#loose.write([{ key, value, time: 0, ttlMs: 0 }], will.topic, sender);
        return;
      }
      case 'batch':
        this.#context.counters.timesNotBelieved += publication.timesNotBelieved;
        this.#loose.write(publication.writes, will.topic, sender);
        return;
      case 'request':
        this.#answer(will, publication.request, sender);
    }
  }

  #answer(will: Will, request: Request, sender: Sender): void {
    const { access, clientId } = sender;
    const client = identityOf({ userName: access.user, clientId }, this.#context.env.random);
    void answer(this.#context, client, request).then((given) =>
      this.#answered(will, request, given, sender),
    );
  }

  /** Only an answer with an address of its own can reach anybody. */
  #answered(will: Will, request: Request, { reply, failure }: Answer, sender: Sender): void {
    if (failure !== undefined) this.#loose.failed(failure, will.topic, sender);
    const { topic } = request.address;
    if (topic === undefined) return;
    const payload = Buffer.from(JSON.stringify(reply));
    this.#loose.publish({ topic, payload, qos: 0, retain: false }, sender);
  }
}

/** `publication` is undefined for an ordinary topic. */
function readWill(
  { limits, env }: Pick<BrokerContext, 'limits' | 'env'>,
  will: Will,
): { topic: Uint8Array; buffer: Uint8Array; publication: Publication | undefined } {
  const topic = Buffer.from(will.topic);
  const topicEnd = topic.length;
  const buffer = Buffer.concat([topic, will.payload]);
  if (!isOurTopic(topic, 0, topicEnd)) return { topic, buffer, publication: undefined };
  const payloadEnd = buffer.length;
  const range = { topicStart: 0, topicEnd, payloadStart: topicEnd, payloadEnd };
  const nowMs = env.clock.nowMs();
  const publication = readPublication(buffer, range, limits, nowMs, will.properties);
  return { topic, buffer, publication };
}

/** A will as the session keeps it. */
export function storedWill(will: ConnectWill, from: string, nowMs: number): StoredWill {
  const { topic, payload, qos, retain, delaySeconds } = will;
  const { properties } = travelling(will.properties, nowMs);
  const message = { topic, payload, qos, retain, properties, from };
  return { message, expirySeconds: will.properties.messageExpirySeconds, delaySeconds };
}
