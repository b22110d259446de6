import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Aedes, type Client, type PublishPacket } from 'aedes';

/**
 * As much of a node's MQTT and HTTP contract (DESIGN §7) as the command line needs, in memory, over the
 * stock aedes broker. It can hold back acknowledgements and drop connections.
 */
export interface FakeNode {
  readonly url: string;
  readonly http: string;
  readonly values: Map<string, Buffer>;
  readonly puts: { key: string; dup: boolean }[];
  /** While true puts are stored but not acknowledged. */
  holdAcknowledgements: boolean;
  /** While true it is any MQTT broker, which knows nothing of our topics. */
  foreign: boolean;
  /** Ends every connection, as a node without a quorum does. */
  dropConnections(): void;
  close(): Promise<void>;
}

export async function startFakeNode(status: object = {}): Promise<FakeNode> {
  const aedes = await Aedes.createBroker();
  const clients = new Set<Client>();
  const values = new Map<string, Buffer>();
  const puts: { key: string; dup: boolean }[] = [];
  const fake = { values, puts, holdAcknowledgements: false, foreign: false };

  aedes.on('client', (client) => clients.add(client));
  aedes.on('clientDisconnect', (client) => clients.delete(client));
  aedes.authorizePublish = (client, packet, callback) => {
    const [, verb, rest] = /^dss\/(\w+)\/?(.*)$/su.exec(packet.topic) ?? [];
    const payload = Buffer.from(packet.payload);
    if (verb === 'put' || verb === 'delete') {
      const key = rest ?? '';
      puts.push({ key, dup: packet.dup });
      if (fake.holdAcknowledgements) return;
      const refusal = key.startsWith('forbidden') ? 'a key of this kind is refused' : undefined;
      if (refusal) report(client, { code: 'INVALID_KEY', message: refusal, topic: packet.topic });
      else store(key, verb === 'delete' ? Buffer.alloc(0) : payload);
    } else if (verb === 'get' || verb === 'list') {
      answer(client, verb, rest ?? '', JSON.parse(payload.toString()));
    }
    callback(null);
  };

  // As a node does; it is how the command line knows one.
  aedes.authorizeSubscribe = (_client, subscription, callback) =>
    callback(
      null,
      subscription.topic.startsWith('dss/put/') && !fake.foreign ? null : subscription,
    );

  function store(key: string, value: Buffer): void {
    if (value.length === 0) values.delete(key);
    else values.set(key, value);
    const packet = { cmd: 'publish', topic: `dss/value/${key}`, payload: value } as const;
    aedes.publish({ ...packet, qos: 1, retain: true, dup: false } as PublishPacket, () => {});
  }

  function answer(client: Client | null, op: string, rest: string, body: RequestBody): void {
    const reply = op === 'get' ? answerGet(rest) : answerList(rest, body);
    send(client, 'dss/reply/me', { id: body.id, op, ...reply });
  }

  function answerGet(key: string): object {
    const value = values.get(key);
    if (!value) return { key, ok: false, error: 'NOT_FOUND' };
    return { key, ok: true, version: 1, time: 1, ...encode(value) };
  }

  function answerList(
    prefix: string,
    { after = '', limit = 100, values: wanted }: RequestBody,
  ): object {
    const inside = (key: string): boolean =>
      prefix === '' || key === prefix || key.startsWith(`${prefix}/`);
    const all = [...values.keys()].filter((key) => inside(key) && key > after).sort();
    const keys = all.slice(0, limit);
    const items = keys.map((key) => ({ key, version: 1, time: 1, ...encode(values.get(key)) }));
    const more = all.length > limit;
    const next = more ? keys.at(-1) : null;
    return { prefix, ok: true, ...(wanted ? { items } : { keys }), more, next };
  }

  const server = createServer(aedes.handle);
  const httpServer = createHttpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const key = url.searchParams.get('key');
    const where = { key, slot: 7, group: 2, leader: 'n1', replicas: ['n1'] };
    response.setHeader('content-type', 'application/json');
    if (url.pathname !== '/status' && url.pathname !== '/where') response.statusCode = 404;
    response.end(JSON.stringify(url.pathname === '/where' ? where : status));
  });
  const port = await listen(server);
  const httpPort = await listen(httpServer);
  return Object.assign(fake, {
    url: `mqtt://127.0.0.1:${port}`,
    http: `http://127.0.0.1:${httpPort}`,
    dropConnections: () => {
      for (const client of clients) client.conn.destroy();
    },
    close: async () => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      server.close();
      httpServer.close();
      httpServer.closeAllConnections();
    },
  });
}

interface RequestBody {
  readonly id: string;
  readonly after?: string;
  readonly limit?: number;
  readonly values?: boolean;
}

function report(client: Client | null, refusal: object): void {
  send(client, 'dss/error/me', refusal);
}

function send(client: Client | null, topic: string, body: object): void {
  const payload = Buffer.from(JSON.stringify(body));
  const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const;
  client?.publish(packet as PublishPacket, () => {});
}

function encode(value: Buffer | undefined): object {
  if (!value) return { value: '' };
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) ? { value: text } : { base64: value.toString('base64') };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
