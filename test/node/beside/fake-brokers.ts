import type {
  ConnectionEvents,
  ConnectionOptions,
  ForeignBrokers,
  ForeignConnection,
} from '../../../node/beside/foreign-broker.ts';
import type { BrokerTarget } from '../../../node/beside/link.ts';

export const target: BrokerTarget = {
  url: 'mqtt://other:1883',
  user: undefined,
  password: undefined,
  ca: undefined,
  protocolVersion: 5,
};

interface Publication {
  readonly topic: string;
  readonly payload: string;
  readonly done: (outcome: 'acknowledged' | 'refused') => void;
}

/** One connection to a broker that does what the test says. */
export class FakeConnection implements ForeignConnection {
  readonly acknowledged: number[] = [];
  readonly published: Publication[] = [];
  isHeld = false;
  isClosed = false;
  readonly options: ConnectionOptions;
  readonly events: ConnectionEvents;
  #lastPacketId = 0;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.options = options;
    this.events = events;
  }

  /** Returns its packet id. */
  send(topic: string, payload: string, qos = 1): number {
    this.#lastPacketId += 1;
    const packetId = qos === 0 ? undefined : this.#lastPacketId;
    this.events.message({ topic, payload: Buffer.from(payload), packetId });
    return this.#lastPacketId;
  }

  acknowledge(packetId: number): void {
    this.acknowledged.push(packetId);
  }

  hold(held: boolean): void {
    this.isHeld = held;
  }

  publishRetained(topic: string, payload: Uint8Array, done: Publication['done']): void {
    this.published.push({ topic, payload: Buffer.from(payload).toString(), done });
  }

  /** `topic=payload` of all that was published. */
  get texts(): string[] {
    return this.published.map(({ topic, payload }) => `${topic}=${payload}`);
  }

  close(): void {
    this.isClosed = true;
  }
}

export class FakeBrokers implements ForeignBrokers {
  readonly connections: FakeConnection[] = [];

  open(options: ConnectionOptions, events: ConnectionEvents): FakeConnection {
    const connection = new FakeConnection(options, events);
    this.connections.push(connection);
    return connection;
  }

  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error('nobody has connected');
    return last;
  }
}
