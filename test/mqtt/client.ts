import { connect as connectTcp, type Socket } from 'node:net';
import {
  type ConnectOptions,
  connect,
  DISCONNECT,
  PINGREQ,
  type PublishOptions,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribe5,
  type Version,
} from './packets.ts';
import type { Properties } from './properties.ts';
import { type Received, type TypeName, takePacket } from './received.ts';

/** So long a server may think; what takes longer has failed. */
const ANSWER_TIMEOUT_MS = 5_000;

/** One TCP connection, byte for byte, and what the server sent on it. */
export class Client {
  readonly version: Version;
  readonly #socket: Socket;
  readonly #received: Received[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #problem: Error | undefined;
  #closed = false;
  readonly #waiting: (() => void)[] = [];
  #packetId = 0;
  /** The answer to `login`. */
  connack: Received | undefined;

  constructor(socket: Socket, version: Version) {
    this.#socket = socket;
    this.version = version;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static open(address: { host: string; port: number }, version: Version): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ ...address, noDelay: true, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Client(socket, version)));
    });
  }

  send(...packets: readonly Uint8Array[]): this {
    this.#socket.write(Buffer.concat(packets));
    return this;
  }

  /** Sends a CONNECT that must be accepted. */
  async login(options: ConnectOptions = {}): Promise<this> {
    this.send(connect({ version: this.version, ...options }));
    this.connack = await this.take('connack');
    if (this.connack.codes[0] !== 0) throw new Error(`CONNACK ${this.connack.codes[0]}`);
    return this;
  }

  /** The next packet, whatever it is. */
  async next(wanted = 'a packet'): Promise<Received> {
    await this.#until(wanted, () => this.#received.length > 0);
    return this.#received.shift() as Received;
  }

  /** The next packet of a type; others stay for later. */
  async take(type: TypeName): Promise<Received> {
    const index = () => this.#received.findIndex((received) => received.type === type);
    await this.#until(type, () => index() >= 0);
    return this.#received.splice(index(), 1)[0] as Received;
  }

  async takeAll(type: TypeName, count: number): Promise<Received[]> {
    const all: Received[] = [];
    while (all.length < count) all.push(await this.take(type));
    return all;
  }

  /** Waits until the server closes; returns what came before that. */
  async closed(): Promise<Received[]> {
    await this.#until('the end of the connection', () => this.#closed, 'even closed');
    return this.#received.splice(0);
  }

  /** What came before the server's answer to a PINGREQ: the connection is alive. */
  async ping(): Promise<Received[]> {
    this.send(PINGREQ);
    await this.take('pingresp');
    return this.#received.splice(0);
  }

  /** Subscribes; returns the granted QoS or code of each filter. */
  async subscribe(
    filter: string | readonly (readonly [string, number])[],
    options = 0,
    properties: Properties = {},
  ): Promise<readonly number[]> {
    const filters = typeof filter === 'string' ? ([[filter, options]] as const) : filter;
    const id = this.nextId();
    this.send(
      this.version === 5 ? subscribe5(id, properties, ...filters) : subscribe(id, ...filters),
    );
    return (await this.take('suback')).codes;
  }

  /** Publishes and goes through the whole handshake; returns its last packet. */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    options: PublishOptions = {},
  ): Promise<Received | undefined> {
    const { qos = 1, id = this.nextId() } = options;
    this.send(publish(topic, payload, { version: this.version, ...options, qos, id }));
    if (qos === 1) return this.take('puback');
    if (qos === 0) return undefined;
    const answer = await this.take('pubrec');
    if ((answer.codes[0] ?? 0) >= 0x80) return answer;
    this.send(pubrel(id));
    return this.take('pubcomp');
  }

  /** Takes the next delivery and acknowledges it to the end. */
  async receive(): Promise<Received> {
    const delivery = await this.take('publish');
    if (delivery.qos === 1) this.send(puback(delivery.id));
    if (delivery.qos === 2) {
      this.send(pubrec(delivery.id));
      await this.take('pubrel');
      this.send(pubcomp(delivery.id));
    }
    return delivery;
  }

  nextId(): number {
    this.#packetId += 1;
    return this.#packetId;
  }

  /** Says goodbye and waits for the end. */
  async leave(goodbye: Uint8Array = DISCONNECT): Promise<void> {
    this.send(goodbye);
    await this.closed();
  }

  /** The cable is cut. */
  cut(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    try {
      for (;;) {
        const taken = takePacket(this.version, this.#unread);
        if (taken === undefined) break;
        this.#received.push(taken.packet);
        this.#unread = taken.rest;
      }
    } catch (error) {
      this.#problem = error as Error;
    }
    this.#wake();
  }

  async #until(what: string, is: () => boolean, evenClosed?: 'even closed'): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, ANSWER_TIMEOUT_MS);
    try {
      while (!is()) {
        if (this.#problem !== undefined) throw this.#problem;
        const over = late || (this.#closed && evenClosed === undefined);
        if (over) throw new Error(this.#instead(what));
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #instead(what: string): string {
    const came = this.#received.map(({ type }) => type).join(', ') || 'nothing';
    return `waited for ${what}, there was ${came}${this.#closed ? ', and the end' : ''}`;
  }
}
