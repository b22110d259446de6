import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  ConnectionOptions,
  ForeignConnection,
  ForeignMessage,
} from '../../../node/beside/foreign-broker.ts';
import type { BrokerTarget } from '../../../node/beside/link.ts';
import { MQTT_BROKERS } from '../../../node/edge/foreign-broker.ts';
import { hasMosquitto, type Mosquitto, startMosquitto } from '../../e2e/support/mosquitto.ts';
import { runProcess, temporaryDirectory } from '../../e2e/support/processes.ts';
import { caOfTests, certificates } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { target } from '../beside/fake-brokers.ts';

/** One connection, and what came on it. */
class Client {
  readonly messages: ForeignMessage[] = [];
  isConnected = false;
  closedBecause: string | undefined;
  readonly connection: ForeignConnection;

  constructor(mosquitto: Pick<Mosquitto, 'url'>, options: Partial<ConnectionOptions> = {}) {
    this.connection = MQTT_BROKERS.open(
      {
        target: { ...target, url: mosquitto.url, ...options.target },
        ...{ clientId: 'dss-cluster-x', session: 'kept', filters: ['x/#'], inflightMax: 1_000 },
        ...options,
      } as ConnectionOptions,
      {
        connected: () => {
          this.isConnected = true;
        },
        message: (message) => void this.messages.push(message),
        closed: (reason) => {
          this.closedBecause = reason;
        },
      },
    );
  }

  get texts(): string[] {
    return this.messages.map(({ payload }) => Buffer.from(payload).toString());
  }

  acknowledge(from: number, to: number): void {
    for (const { packetId } of this.messages.slice(from, to)) {
      if (packetId !== undefined) this.connection.acknowledge(packetId);
    }
  }

  async connected(): Promise<this> {
    await until('the connection', () => this.isConnected);
    return this;
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  await eventually(what, () => condition() || undefined);
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

describe.skipIf(!hasMosquitto).each([5, 4] as const)('Mosquitto, in MQTT %i,', (version) => {
  let mosquitto: Mosquitto;
  let publisher: MqttClient;
  const clients: Client[] = [];

  const open = (options: Partial<ConnectionOptions> = {}) => {
    const own = { ...target, url: mosquitto.url, protocolVersion: version };
    const client = new Client(mosquitto, { target: own, ...options });
    clients.push(client);
    return client;
  };
  const publish = async (payloads: readonly string[], options = {}) => {
    for (const payload of payloads) {
      await publisher.publishAsync('x/y', payload, { qos: 1, ...options });
    }
  };

  beforeEach(async () => {
    mosquitto = await startMosquitto('');
    publisher = await mosquitto.connect();
  });
  afterEach(async () => {
    for (const { connection } of clients.splice(0)) connection.close();
    await publisher?.endAsync(true);
    await mosquitto?.close();
  });

  it('sends what was not acknowledged again, in order, and nothing else', async () => {
    const first = await open().connected();
    await publish(numbers(1, 10));
    await until('ten messages', () => first.messages.length === 10);
    first.acknowledge(0, 4);
    await publish(['11']);
    // It has seen the acknowledgements: what came after them is here.
    await until('one more', () => first.texts.includes('11'));
    first.connection.close();
    await publish(numbers(12, 40));

    const second = await open().connected();
    await until('the rest', () => {
      second.acknowledge(0, second.messages.length);
      return second.texts.includes('40');
    });
    expect([...new Set(second.texts)]).toEqual(numbers(5, 40));
  });

  it('sends no more while it is held', async () => {
    const client = await open().connected();
    client.connection.hold(true);
    await publish(numbers(1, 50), { qos: 0 });
    await publish(['end']);
    await until('the first', () => client.messages.length > 0);
    const marker = await open({ clientId: 'marker', filters: ['x/#'] }).connected();
    await publish(['after']);
    await until('the marker', () => marker.texts.includes('after'));
    expect(client.messages).toHaveLength(1);
    client.connection.hold(false);
    await until('the end', () => client.texts.includes('after'));
    expect(client.texts).toEqual([...numbers(1, 50), 'end', 'after']);
  });

  it('sends retained messages to a session once', async () => {
    await publish(['kept'], { retain: true });
    const first = await open().connected();
    await until('the retained message', () => first.messages.length === 1);
    first.acknowledge(0, 1);
    await publish(['later']);
    await until('the next', () => first.messages.length === 2);
    first.acknowledge(1, 2);
    await publish(['last']);
    await until('the last', () => first.messages.length === 3);
    first.connection.close();

    const second = await open().connected();
    await publish(['end']);
    await until('the end', () => second.texts.includes('end'));
    expect(second.texts.filter((text) => text === 'kept')).toHaveLength(version === 5 ? 0 : 1);
  });

  it('keeps what is published, and says when', async () => {
    const client = await open({ session: 'none', filters: [] }).connected();
    const outcomes: string[] = [];
    client.connection.publishRetained('x/z', Buffer.from('1'), (it) => void outcomes.push(it));
    await until('the acknowledgement', () => outcomes.length > 0);
    expect(outcomes).toEqual(['acknowledged']);
    const reader = await open({ clientId: 'reader', session: 'none' }).connected();
    await until('the retained message', () => reader.texts.includes('1'));
  });

  it('lets one client of an id in at a time', async () => {
    const first = await open().connected();
    await open().connected();
    await until('the end of the first', () => first.closedBecause !== undefined);
    expect(first.closedBecause).toMatch(/lost/);
  });

  it('is missed when it stops', async () => {
    const client = await open().connected();
    await mosquitto.stop();
    await until('the end', () => client.closedBecause !== undefined);
    const next = open();
    await until('the refusal', () => next.closedBecause !== undefined);
    expect(next.closedBecause).toMatch(/ECONNREFUSED/);
  });
});

describe.skipIf(!hasMosquitto)('a Mosquitto with users', () => {
  let mosquitto: Mosquitto;
  let client: Client | undefined;

  beforeEach(async () => {
    const directory = await temporaryDirectory();
    const acl = join(directory, 'acl');
    writeFileSync(acl, 'topic read x/#\n', { mode: 0o600 });
    mosquitto = await startMosquitto(`acl_file ${acl}`);
  });
  afterEach(async () => {
    client?.connection.close();
    await mosquitto?.close();
  });

  it('refuses a publication, in MQTT 5', async () => {
    client = await new Client(mosquitto, { session: 'none', filters: [] }).connected();
    const outcomes: string[] = [];
    client.connection.publishRetained('x/z', Buffer.from('1'), (it) => void outcomes.push(it));
    await until('the outcome', () => outcomes.length > 0);
    expect(outcomes).toEqual(['refused']);
  });
});

describe('a broker that says why it disconnects', () => {
  it('is believed', async () => {
    const accepted = [0x20, 3, 0, 0, 0];
    const takenOver = [0xe0, 2, 0x8e, 0];
    const server = createServer((socket) => {
      socket.once('data', () => socket.end(Uint8Array.from([...accepted, ...takenOver])));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new Client({ url: `mqtt://127.0.0.1:${port}` });
    await until('the end', () => client.closedBecause !== undefined);
    expect(client.closedBecause).toBe('another client has connected under our client id');
    server.close();
  });
});

describe.skipIf(!hasMosquitto)('a Mosquitto with TLS and passwords', () => {
  let mosquitto: Mosquitto;
  let given: BrokerTarget;
  let client: Client;

  beforeEach(async () => {
    const passwords = join(await temporaryDirectory(), 'passwords');
    const flags = ['-b', '-c', passwords, 'dss', 'right'];
    expect((await runProcess('mosquitto_passwd', flags)).code).toBe(0);
    mosquitto = await startMosquitto(
      [
        'allow_anonymous false',
        `password_file ${passwords}`,
        `certfile ${certificates.node.cert}`,
        `keyfile ${certificates.node.key}`,
      ].join('\n'),
    );
    const url = mosquitto.url.replace('mqtt:', 'mqtts:');
    given = { ...target, url, user: 'dss', password: 'right', ca: caOfTests };
  });
  afterEach(async () => {
    client?.connection.close();
    await mosquitto?.close();
  });

  it.each<[string, Partial<BrokerTarget>, RegExp]>([
    ['another password', { password: 'wrong' }, /[Nn]ot authorized/],
    ['no user', { user: undefined, password: undefined }, /[Nn]ot authorized/],
    ['a certificate that nobody vouches for', { ca: undefined }, /certificate/],
  ])('is not connected to with %s', async (_what, change, reason) => {
    client = new Client(mosquitto, { target: { ...given, ...change } });
    await until('the refusal', () => client.closedBecause !== undefined);
    expect(client.closedBecause).toMatch(reason);
  });

  it('is connected to with what it asks for', async () => {
    client = await new Client(mosquitto, { target: given }).connected();
  });
});
