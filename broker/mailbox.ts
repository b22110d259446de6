import type { BrokerContext } from './context.ts';
import type { Sender } from './loose-messages.ts';
import { encodeProperties } from './mqtt5/properties.ts';
import type { Refusal, RefusedPacket } from './refusals.ts';
import type { ReplyAddress } from './requests.ts';
import type { Subscriptions } from './subscriptions.ts';
import { REPLY_TO_ME } from './topics.ts';
import type { ValueOutbox } from './value-outbox.ts';

const REPLY_TOPIC: Uint8Array = new TextEncoder().encode(REPLY_TO_ME);
const ERROR_TOPIC: Uint8Array = new TextEncoder().encode('dss/error/me');
/** Of one SUBSCRIBE: a packet can hold a hundred thousand filters. */
const FILTER_REPORTS_MAX = 10;

/** What we have to say to one client: the answers to its requests, and what was refused. */
export class Mailbox {
  readonly #context: BrokerContext;
  readonly #client: Sender;
  readonly #subscriptions: Subscriptions;
  readonly #outbox: ValueOutbox;

  constructor(
    context: BrokerContext,
    client: Sender,
    subscriptions: Subscriptions,
    outbox: ValueOutbox,
  ) {
    this.#context = context;
    this.#client = client;
    this.#subscriptions = subscriptions;
    this.#outbox = outbox;
  }

  reply(address: ReplyAddress, reply: object, requestQos: number): void {
    const payload = Buffer.from(JSON.stringify(reply));
    const { correlationData } = address;
    const described = correlationData === undefined ? {} : { correlationData };
    if (address.topic !== undefined) {
      const qos = requestQos === 0 ? 0 : 1;
      const properties = encodeProperties(described);
      const message = { topic: address.topic, payload, qos, retain: false, properties } as const;
      this.#context.looseMessages.publish(message, this.#client);
      return;
    }
    this.#subscriptions.sendMail('replies', (qos) =>
      this.#outbox.message(REPLY_TOPIC, payload, qos, described),
    );
  }

  /** Tells the client, the node's log, `dss/sys/refused/<node>` and the counters. */
  report(refusal: Refusal, packet: RefusedPacket): void {
    this.#context.refusals.report(refusal, this.#client, packet);
    const payload = Buffer.from(JSON.stringify(refusal));
    this.#subscriptions.sendMail('errors', (qos) =>
      this.#outbox.message(ERROR_TOPIC, payload, qos),
    );
  }

  /** They are answered with 0x80; the reason goes where reasons go. */
  reportFilters(refusals: readonly Refusal[]): void {
    for (const refusal of refusals.slice(0, FILTER_REPORTS_MAX)) this.report(refusal, 'SUBSCRIBE');
  }
}
