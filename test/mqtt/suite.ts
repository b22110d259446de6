import { afterAll, afterEach, beforeAll, it } from 'vitest';
import { listenTcp } from '../../broker/server.ts';
import { type HarnessOptions, startBroker } from '../broker/harness.ts';
import type { FakeDataPlane } from '../support/fake-data-plane.ts';
import { SeededRandom } from '../support/random.ts';
import { Client } from './client.ts';
import { FILES_NOT_YET, NOT_YET_V5, NOT_YET_V311 } from './not-yet.ts';
import type { ConnectOptions, Version } from './packets.ts';
import { V5 } from './statements-v5.ts';
import { V311 } from './statements-v311.ts';

const isOurs = process.env.DSS_MQTT_BROKER === undefined;

/** A broker to test: of this process, or any other by `DSS_MQTT_BROKER=host:port`, to test the tests. */
export class Server {
  readonly #version: Version;
  readonly #address: { host: string; port: number };
  readonly #pass: (ms: number) => Promise<void>;
  readonly #close: () => Promise<void>;
  /** What stands behind the broker; nothing if the broker is another one. */
  readonly plane: FakeDataPlane | undefined;
  readonly #clients: Client[] = [];
  #names = 0;

  constructor(
    version: Version,
    options: {
      address: { host: string; port: number };
      pass: (ms: number) => Promise<void>;
      close: () => Promise<void>;
      plane?: FakeDataPlane;
    },
  ) {
    this.#version = version;
    this.#address = options.address;
    this.#pass = options.pass;
    this.#close = options.close;
    this.plane = options.plane;
  }

  /** A topic or client id that nobody has used. */
  name(): string {
    this.#names += 1;
    return `t${process.pid}x${Date.now() % 1e6}x${this.#names}`;
  }

  /** A connection on which nothing was sent. */
  async open(version = this.#version): Promise<Client> {
    const client = await Client.open(this.#address, version);
    this.#clients.push(client);
    return client;
  }

  /** A client whose CONNECT was accepted, under an id of its own if none is given. */
  async connect(options: ConnectOptions = {}): Promise<Client> {
    const client = await this.open(options.version);
    return client.login({ id: this.name(), ...options });
  }

  /** Lets time pass for the broker. */
  pass(ms: number): Promise<void> {
    return this.#pass(ms);
  }

  cutAll(): void {
    for (const client of this.#clients.splice(0)) client.cut();
  }

  async close(): Promise<void> {
    this.cutAll();
    await this.#close();
  }
}

export async function startServer(version: Version, options: HarnessOptions = {}): Promise<Server> {
  const other = process.env.DSS_MQTT_BROKER;
  if (other !== undefined) {
    const [host = '', port] = other.split(':');
    return new Server(version, {
      address: { host, port: Number(port) },
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 1_000)),
      close: async () => {},
    });
  }
  // Client ids that the broker gives away must differ.
  const random = new SeededRandom(1);
  const { broker, time, plane } = await startBroker(options, { random });
  const listener = await listenTcp(broker, { host: '127.0.0.1', port: 0 });
  return new Server(version, {
    address: listener.address,
    plane,
    pass: async (ms) => time.advance(ms),
    close: async () => {
      const closed = listener.close();
      const brokerClosed = broker.close();
      time.advance(60_000);
      await Promise.all([closed, brokerClosed]);
    },
  });
}

type Check = (server: Server) => Promise<void>;

/** A file of the suite for MQTT 3.1.1. */
export function v311(): (id: keyof typeof V311, check: Check) => void {
  const server = serverOfFile(4);
  return (id, check) => {
    const test = id in NOT_YET_V311 && isOurs ? it.fails : it;
    test(`${id} ${V311[id].text}`, () => check(server()));
  };
}

/** A file of the suite for MQTT 5; without a server while the whole file waits for one. */
export function v5(file: string) {
  const waits = file in FILES_NOT_YET && isOurs;
  const server = serverOfFile(5);
  return (id: keyof typeof V5, check: Check): void => {
    const test = waits ? it.skip : id in NOT_YET_V5 && isOurs ? it.fails : it;
    test(`${id} ${V5[id].text}`, () => check(server()));
  };
}

/** One broker for all tests of a file; their connections end with each test. */
function serverOfFile(version: Version): () => Server {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(version);
  });
  afterEach(() => server.cutAll());
  afterAll(() => server.close());
  return () => server;
}
