import { encode, kv } from '../../../protos/index.ts';
import type { NodeConnection } from '../connection.ts';
import { CliError } from '../errors.ts';
import { topicOf } from '../key.ts';

/** One write, as `dss/batch` takes it. The cluster checks the members. */
export interface BatchElement {
  readonly key: string;
  readonly value?: unknown;
  readonly base64?: string;
  readonly delete?: true;
  readonly time?: number | string;
  /** Seconds. */
  readonly ttl?: number;
}

export interface BatchCounts {
  /** Elements that a quorum has. */
  readonly writes: number;
  readonly messages: number;
  /** Of these, values so large that they went alone, without their time or ttl. */
  readonly bare: number;
}

/** Where an element stood, for the sentence about its refusal and to go on behind it. */
export interface SourcePlace {
  /** `line 7`. */
  readonly place: string;
  readonly line: number;
  /** How much of the source has been used up with it. */
  readonly endBytes: number;
}

interface Pending {
  readonly texts: string[];
  readonly places: SourcePlace[];
  bytes: number;
}

const MESSAGE_ELEMENTS_MAX = 500;
const MESSAGE_BYTES_TARGET = 256 * 1024;
/** What a node takes in one message (docs/MQTT.md, Limits). */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** Gathers writes into messages, and sends one after the other: the next when a quorum has the one before. */
export class BatchWriter {
  readonly #node: NodeConnection;
  readonly #prefix: string;
  readonly #topic: string;
  #pending: Pending = nothingPending();
  #writes = 0;
  #messages = 0;
  #bare = 0;
  #stored: SourcePlace | undefined;

  constructor(node: NodeConnection, prefix: string) {
    this.#node = node;
    this.#prefix = prefix;
    this.#topic = topicOf('batch', prefix);
  }

  get counts(): BatchCounts {
    return { writes: this.#writes, messages: this.#messages, bare: this.#bare };
  }

  /** Everything up to there is stored. */
  get stored(): SourcePlace | undefined {
    return this.#stored;
  }

  /** Takes one more; when a message is full, it resolves when that is stored. */
  async add(element: BatchElement, place: SourcePlace): Promise<void> {
    const text = JSON.stringify(element);
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > MESSAGE_BYTES_TARGET) {
      await this.flush();
      return this.#sendLarge(element, text, place);
    }
    if (this.#pending.bytes + bytes > MESSAGE_BYTES_TARGET) await this.flush();
    const pending = this.#pending;
    pending.texts.push(text);
    pending.places.push(place);
    pending.bytes += bytes;
    if (pending.texts.length === MESSAGE_ELEMENTS_MAX) await this.flush();
  }

  /** Sends what waits. A refusal says where its elements stood; nothing of that message is stored. */
  async flush(): Promise<void> {
    const { texts, places } = this.#pending;
    if (texts.length === 0) return;
    this.#pending = nothingPending();
    await this.#send(this.#topic, Buffer.from(`[${texts.join(',')}]`), places);
  }

  /** Alone, and without the overhead of base64 and escapes if need be. */
  async #sendLarge(element: BatchElement, text: string, place: SourcePlace): Promise<void> {
    const json = Buffer.from(`[${text}]`);
    if (json.length <= MESSAGE_BYTES_MAX) return this.#send(this.#topic, json, [place]);
    const value = bytesOf(element);
    const message = element.ttl === undefined ? deviceBatch(element, value) : undefined;
    if (message !== undefined && message.length <= MESSAGE_BYTES_MAX) {
      return this.#send(this.#topic, message, [place]);
    }
    const key = this.#prefix === '' ? element.key : `${this.#prefix}/${element.key}`;
    await this.#send(`dss/put/${key}`, value, [place]);
    if (element.time !== undefined || element.ttl !== undefined) this.#bare += 1;
  }

  async #send(topic: string, payload: Uint8Array, places: readonly SourcePlace[]): Promise<void> {
    try {
      await this.#node.publish(topic, payload);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      const { exitCode, code, message } = error;
      const details = { ...error.details, stored: this.#writes };
      throw new CliError(exitCode, code, `${describe(places)}: ${message}`, {
        cause: error,
        details,
      });
    }
    this.#writes += places.length;
    this.#messages += 1;
    this.#stored = places.at(-1);
  }
}

function nothingPending(): Pending {
  return { texts: [], places: [], bytes: 2 };
}

function describe(places: readonly SourcePlace[]): string {
  const [first, last] = [places[0]?.place, places.at(-1)?.place];
  return first === last ? `${first}` : `${first} to ${last}`;
}

/** Text is its own bytes, any other JSON its JSON text (DESIGN §7). */
function bytesOf({ value = '', base64 }: BatchElement): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

function deviceBatch({ key, time = 0 }: BatchElement, value: Buffer): Uint8Array {
  const timeMs = Math.max(0, Math.floor(typeof time === 'string' ? Date.parse(time) : time));
  return encode(kv.DeviceBatch, { format: 1, readings: [{ key, value, timeMs }] });
}
