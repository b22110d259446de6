import type { EventEmitter } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import { FakeStore } from './fake-store.ts';
import { FakeVerbs, type Refusal, type RequestBody } from './fake-verbs.ts';

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: unknown;
}

/**
 * As much of a node's MQTT and HTTP contract (DESIGN §7) as the command line needs, in memory, over the
 * stock aedes broker. It can hold back acknowledgements and drop connections.
 */
export interface FakeNode {
  readonly url: string;
  readonly http: string;
  readonly store: FakeStore;
  readonly values: Map<string, Buffer>;
  readonly puts: { key: string; dup: boolean }[];
  /** Of `dss/batch`: topic and how many elements. */
  readonly batches: { topic: string; count: number }[];
  readonly requests: { topic: string; clientId: string; body: RequestBody }[];
  readonly httpRequests: HttpRequest[];
  /** While true puts are stored but not acknowledged. */
  holdAcknowledgements: boolean;
  /** What it grants at most; by default as a node does, which is how the command line knows one. */
  qosMax: (filter: string) => number;
  /** Of further batches nothing is stored or acknowledged. */
  batchesMax: number;
  /** The connection ends instead of the acknowledgement of the next so many batches or answers. */
  dropNext: number;
  onConnect: (clientId: string) => void;
  /** What the routes for settings answer. */
  answerHttp: (request: HttpRequest) => { readonly status: number; readonly body: object };
  /** What `dss/sys/<topic>` says. */
  publishSystem(topic: string, content: object): void;
  /** Ends every connection, as a node without a quorum does. */
  dropConnections(): void;
  close(): Promise<void>;
}

export async function startFakeNode(status: object = {}): Promise<FakeNode> {
  const aedes = await Aedes.createBroker();
  const clients = new Set<Client>();
  const store = new FakeStore(Date.now);
  const verbs = new FakeVerbs(store, (key, value) => publishValue(aedes, key, value));
  const fake = {
    store,
    values: store.values,
    puts: [] as FakeNode['puts'],
    batches: [] as FakeNode['batches'],
    requests: [] as FakeNode['requests'],
    httpRequests: [] as HttpRequest[],
    holdAcknowledgements: false,
    qosMax: (filter: string) => (/^dss\/(?!sys\/)/.test(filter) ? 1 : 2),
    batchesMax: Number.POSITIVE_INFINITY,
    dropNext: 0,
    onConnect: (_clientId: string) => {},
    answerHttp: (_request: HttpRequest) =>
      ({ status: 404, body: {} }) as { status: number; body: object },
  };

  aedes.on('client', (client) => {
    clients.add(client);
    fake.onConnect(client.id);
    limitQos(client, (filter) => fake.qosMax(filter));
  });
  aedes.on('clientDisconnect', (client) => clients.delete(client));
  aedes.authorizePublish = (client, packet, callback) => {
    const [, verb = '', rest = ''] = /^dss\/(\w+)\/?(.*)$/su.exec(packet.topic) ?? [];
    const payload = Buffer.from(packet.payload);
    if (verb === 'put' || verb === 'delete' || verb === 'batch') {
      if (verb !== 'batch') fake.puts.push({ key: rest, dup: packet.dup });
      const isHeld = verb === 'batch' && fake.batches.length >= fake.batchesMax;
      if (fake.holdAcknowledgements || isHeld) return;
      const outcome = verbs.write(verb, rest, payload);
      if (verb === 'batch') fake.batches.push({ topic: packet.topic, count: outcome.count });
      if (takeDrop(client)) return;
      if (outcome.refusal) report(client, { ...outcome.refusal, topic: packet.topic });
    } else if (verbs.answers(verb)) {
      const body = JSON.parse(payload.toString()) as RequestBody;
      fake.requests.push({ topic: packet.topic, clientId: client?.id ?? '', body });
      const answer = verbs.answer(verb, rest, body);
      if (!takeDrop(client)) send(client, 'dss/reply/me', { id: body.id, op: verb, ...answer });
    }
    callback(null);
  };

  function takeDrop(client: Client | null): boolean {
    if (fake.dropNext === 0) return false;
    fake.dropNext -= 1;
    client?.conn.destroy();
    return true;
  }

  async function answerSettings(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = '', url: path = '' } = request;
    const asked = { method, path, body: body === '' ? undefined : JSON.parse(body) };
    fake.httpRequests.push(asked);
    const answer = node.answerHttp(asked);
    response.statusCode = answer.status;
    response.end(JSON.stringify(answer.body));
  }

  const server = createServer(aedes.handle);
  const httpServer = createHttpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    response.setHeader('content-type', 'application/json');
    if (url.pathname === '/v1/cluster') return void response.end(JSON.stringify(status));
    if (url.pathname !== '/v1/where') return void answerSettings(request, response);
    const key = url.searchParams.get('key');
    response.end(JSON.stringify({ key, slot: 7, group: 2, leader: 'n1', replicas: ['n1'] }));
  });
  const port = await listen(server);
  const httpPort = await listen(httpServer);
  const node: FakeNode = Object.assign(fake, {
    url: `mqtt://127.0.0.1:${port}`,
    http: `http://127.0.0.1:${httpPort}`,
    publishSystem: (topic: string, content: object) => {
      const payload = Buffer.from(JSON.stringify(content));
      publish(aedes, { topic: `dss/sys/${topic}`, payload, qos: 0 });
    },
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
  return node;
}

/** Of the packet itself: aedes has noted what it grants before it asks whether it may. */
function limitQos(client: Client, qosMax: (filter: string) => number): void {
  const { _parser: parser } = client as unknown as { _parser: EventEmitter };
  parser.prependListener(
    'packet',
    (packet: { subscriptions?: { topic: string; qos: number }[] }) => {
      for (const subscription of packet.subscriptions ?? []) {
        subscription.qos = Math.min(subscription.qos, qosMax(subscription.topic));
      }
    },
  );
}

function publishValue(aedes: Aedes, key: string, value: Buffer): void {
  publish(aedes, { topic: `dss/value/${key}`, payload: value, qos: 1 });
}

function publish(aedes: Aedes, message: { topic: string; payload: Buffer; qos: 0 | 1 }): void {
  const packet = { cmd: 'publish', ...message, retain: true, dup: false } as PublishPacket;
  aedes.publish(packet, () => {});
}

function report(client: Client | null, refusal: Refusal & { readonly topic: string }): void {
  send(client, 'dss/error/me', refusal);
}

function send(client: Client | null, topic: string, body: object): void {
  const payload = Buffer.from(JSON.stringify(body));
  const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const;
  client?.publish(packet as PublishPacket, () => {});
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
