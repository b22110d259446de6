import { connect, type Socket } from 'node:net';
import { uint16 } from '../broker/field-reader.ts';
import { encodePublish, PacketType } from '../broker/frame-encoder.ts';
import { FrameSplitter } from '../broker/frame-splitter.ts';
import { connectFrame } from './load/load-frames.ts';

const NO_PREFIX = new Uint8Array(0);
const PACKET_ID_MAX = 0xffff;
const ANSWERS = 'dss/reply/me';
const ERRORS = 'dss/error/me';

type MessageListener = (topic: Uint8Array, payload: Uint8Array) => void;

interface Waiter {
  resolve(answer: Buffer): void;
  reject(error: Error): void;
}

/**
 * A connection that puts and asks, with raw frames: of an answer nothing but its id is read here, so that the
 * client's own time stays small beside the node's.
 */
export class RequestClient {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter(Number.POSITIVE_INFINITY);
  /** By the packet id of a PUBLISH or SUBSCRIBE. */
  readonly #acknowledged = new Map<number, Waiter>();
  /** By the id in the request and its answer. */
  readonly #answered = new Map<number, Waiter>();
  readonly #topics = new Map<string, Uint8Array>();
  #lastPacketId = 0;
  #lastRequestId = 0;
  #onMessage: MessageListener | undefined;
  #onConnected: Waiter | undefined;
  #failure: Error | undefined;
  #closed = false;

  private constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error(`port ${port} closed a connection`)));
  }

  static async open(port: number, clientId: string): Promise<RequestClient> {
    const client = new RequestClient(port);
    const connected = new Promise<Buffer>((resolve, reject) => {
      client.#onConnected = { resolve, reject };
    });
    client.#socket.on('connect', () => client.#socket.write(connectFrame(clientId)));
    await connected;
    await client.#subscribe(ANSWERS);
    await client.#subscribe(ERRORS);
    return client;
  }

  /** Publishes with QoS 1 and resolves at the PUBACK. */
  async publish(topic: string, payload: Uint8Array): Promise<void> {
    const { bytes, packetIdOffset } = encodePublish(NO_PREFIX, this.#encoded(topic), payload, {
      qos: 1,
      retain: false,
    });
    const id = this.#newPacketId();
    bytes[packetIdOffset] = id >>> 8;
    bytes[packetIdOffset + 1] = id & 0xff;
    await this.#sent(this.#acknowledged, id, bytes);
  }

  /** Publishes with QoS 0 and resolves with the answer that has the same id. */
  request(topic: string, members: Readonly<Record<string, unknown>> = {}): Promise<Buffer> {
    this.#lastRequestId += 1;
    const id = this.#lastRequestId;
    const payload = Buffer.from(JSON.stringify({ id, ...members }));
    const flags = { qos: 0, retain: false } as const;
    const { bytes } = encodePublish(NO_PREFIX, this.#encoded(topic), payload, flags);
    return this.#sent(this.#answered, id, bytes);
  }

  /** One filter at a time; its messages come with QoS 0. */
  async subscribe(filter: string, onMessage: MessageListener): Promise<void> {
    this.#onMessage = onMessage;
    await this.#subscribe(filter);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  async #subscribe(filter: string): Promise<void> {
    const topic = Buffer.from(filter);
    const id = this.#newPacketId();
    const header = [(PacketType.subscribe << 4) | 2, 5 + topic.length, id >>> 8, id & 0xff];
    const frame = Buffer.concat([Buffer.from([...header, 0, topic.length]), topic, Buffer.of(0)]);
    const codes = await this.#sent(this.#acknowledged, id, frame);
    if (codes[0] !== 0) throw new Error(`the node refused to subscribe to ${filter}`);
  }

  #sent(waiters: Map<number, Waiter>, id: number, frame: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      waiters.set(id, { resolve, reject });
      this.#socket.write(frame);
    });
  }

  #newPacketId(): number {
    this.#lastPacketId = (this.#lastPacketId % PACKET_ID_MAX) + 1;
    return this.#lastPacketId;
  }

  #encoded(topic: string): Uint8Array {
    const known = this.#topics.get(topic);
    if (known) return known;
    const bytes = Buffer.from(topic);
    this.#topics.set(topic, bytes);
    return bytes;
  }

  #onData(chunk: Buffer): void {
    if (this.#failure) return;
    const splitter = this.#splitter;
    splitter.push(chunk);
    for (;;) {
      const result = splitter.next();
      if (result === 'incomplete') return;
      if (result === 'frame') this.#onFrame();
      else return this.#fail(new Error('the node sent something that is no MQTT'));
    }
  }

  #onFrame(): void {
    const { buffer, bodyStart, end, header } = this.#splitter;
    const body = Buffer.from(buffer.buffer, buffer.byteOffset + bodyStart, end - bodyStart);
    switch (header >>> 4) {
      case PacketType.publish:
        return this.#onPublish(body, (header & 0b0110) === 0 ? 0 : 2);
      case PacketType.puback:
      case PacketType.suback:
        return this.#settle(this.#acknowledged, uint16(body, 0), body.subarray(2));
      case PacketType.connack:
        if (body[1] === 0) return this.#onConnected?.resolve(body);
        return this.#fail(new Error('CONNECT was refused'));
      default:
        return this.#fail(new Error(`the node sent a packet of type ${header >>> 4}`));
    }
  }

  #onPublish(body: Buffer, packetIdBytes: number): void {
    const topicEnd = 2 + uint16(body, 0);
    const topic = body.subarray(2, topicEnd);
    const payload = body.subarray(topicEnd + packetIdBytes);
    if (topic.equals(ANSWER_TOPIC)) this.#settle(this.#answered, idOf(payload), payload);
    else if (topic.equals(ERROR_TOPIC)) this.#fail(new Error(`refused: ${payload}`));
    else this.#onMessage?.(topic, payload);
  }

  #settle(waiters: Map<number, Waiter>, id: number, answer: Buffer): void {
    const waiter = waiters.get(id);
    if (!waiter) return this.#fail(new Error(`an answer to nothing that was asked, id ${id}`));
    waiters.delete(id);
    waiter.resolve(answer);
  }

  #fail(error: Error): void {
    if (this.#closed || this.#failure) return;
    this.#failure = error;
    this.#socket.destroy();
    this.#onConnected?.reject(error);
    for (const waiters of [this.#acknowledged, this.#answered]) {
      for (const waiter of waiters.values()) waiter.reject(error);
      waiters.clear();
    }
  }
}

const ANSWER_TOPIC = Buffer.from(ANSWERS);
const ERROR_TOPIC = Buffer.from(ERRORS);
const ID_OFFSET = '{"id":'.length;

/** An answer begins with the request's id. */
function idOf(answer: Buffer): number {
  let id = 0;
  for (let at = ID_OFFSET; at < answer.length; at += 1) {
    const digit = (answer[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    id = id * 10 + digit;
  }
  return id;
}
