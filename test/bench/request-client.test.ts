import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RequestClient } from '../../bench/request-client.ts';
import { runClosedLoop } from '../../bench/verbs/closed-loop.ts';
import { readPages } from '../../bench/verbs/page-reader.ts';
import { encodePublish, encodeSuback, PacketType } from '../../broker/frame-encoder.ts';
import { FrameSplitter } from '../../broker/frame-splitter.ts';

type Members = Record<string, unknown> & { readonly id: number };

interface Said {
  readonly topic?: string;
  readonly body: object;
}

/** Acknowledges what has a packet id, and answers questions with what `answer` gives. */
class FakeNode {
  readonly #server: Server;
  readonly topics: string[] = [];

  constructor(answer: (members: Members) => readonly Said[]) {
    this.#server = createServer((socket) => {
      const splitter = new FrameSplitter(Number.POSITIVE_INFINITY);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        splitter.push(chunk);
        while (splitter.next() === 'frame') {
          const { buffer, bodyStart, end, header } = splitter;
          const body = Buffer.from(buffer.subarray(bodyStart, end));
          const type = header >>> 4;
          if (type === PacketType.connect) socket.write(Buffer.of(0x20, 2, 0, 0));
          if (type === PacketType.subscribe) {
            socket.write(encodeSuback(body.readUInt16BE(0), Uint8Array.of(0)));
          }
          if (type !== PacketType.publish) continue;
          const topicEnd = 2 + body.readUInt16BE(0);
          this.topics.push(body.toString('utf8', 2, topicEnd));
          if ((header & 0b10) !== 0) {
            socket.write(
              Buffer.of(0x40, 2, body[topicEnd] as number, body[topicEnd + 1] as number),
            );
            continue;
          }
          for (const said of answer(JSON.parse(body.toString('utf8', topicEnd)) as Members)) {
            const topic = Buffer.from(said.topic ?? 'dss/reply/me');
            const payload = Buffer.from(JSON.stringify(said.body));
            socket.write(encodePublish(NO_PREFIX, topic, payload, { qos: 0, retain: false }).bytes);
          }
        }
      });
    });
  }

  async open(): Promise<RequestClient> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return RequestClient.open((this.#server.address() as AddressInfo).port, 'test');
  }

  close(): void {
    this.#server.close();
  }
}

const NO_PREFIX = new Uint8Array(0);

describe('request client', () => {
  let node: FakeNode | undefined;
  let client: RequestClient | undefined;
  afterEach(() => {
    client?.close();
    node?.close();
  });

  it('gives each request its own answer, in whatever order they come', async () => {
    const held: Said[] = [];
    node = new FakeNode(({ id, at }) => {
      held.unshift({ body: { id, ok: true, value: `at ${at}` } });
      return held.length === 2 ? held : [];
    });
    client = await node.open();
    const answers = await Promise.all([
      client.request('dss/get/a', { at: 7 }),
      client.request('dss/get/a', { at: 8 }),
    ]);
    const values = answers.map((answer) => JSON.parse(answer.toString()).value);
    expect(values).toEqual(['at 7', 'at 8']);
  });

  it('resolves a put at its PUBACK and a request at its answer', async () => {
    node = new FakeNode(({ id }) => [{ body: { id, op: 'get', ok: true, value: `v${id}` } }]);
    client = await node.open();
    await client.publish('dss/put/a', Buffer.from('x'));
    const answers = await Promise.all([client.request('dss/get/a'), client.request('dss/get/b')]);
    expect(answers.map((answer) => JSON.parse(answer.toString()).value)).toEqual(['v1', 'v2']);
    expect(node.topics).toEqual(['dss/put/a', 'dss/get/a', 'dss/get/b']);
  });

  it('fails at a refusal instead of waiting for an answer', async () => {
    node = new FakeNode(() => [{ topic: 'dss/error/me', body: { code: 'INVALID_REQUEST' } }]);
    client = await node.open();
    await expect(client.request('dss/list', { limit: 0 })).rejects.toThrow('INVALID_REQUEST');
    await expect(client.publish('dss/put/a', NO_PREFIX)).rejects.toThrow('INVALID_REQUEST');
  });

  const keys = Array.from({ length: 2_500 }, (_, index) => String(index).padStart(5, '0'));
  const list = ({ id, limit, after }: Members, all = keys) => {
    const start = after === undefined ? 0 : all.indexOf(after as string) + 1;
    const page = all.slice(start, start + (limit as number));
    const next = start + page.length < all.length ? page.at(-1) : null;
    return [{ body: { id, op: 'list', ok: true, keys: page, next } }];
  };
  const request = { what: 'list', request: 'list', members: {}, items: keys.length };

  it('reads page after page to the end', async () => {
    node = new FakeNode((members) => list(members));
    client = await node.open();
    const read = await readPages(client, { ...request, secondsMax: 10 });
    expect(read).toMatchObject({ items: 2_500, read: 2_500, pages: { count: 3 } });
    expect(read.perSecond).toBeCloseTo(read.read / read.seconds);
  });

  it('says how far it came when time is up', async () => {
    node = new FakeNode((members) => list(members));
    client = await node.open();
    const read = await readPages(client, { ...request, secondsMax: 0 });
    expect(read).toMatchObject({ items: 2_500, read: 1_000, pages: { count: 1 } });
  });

  it('gives no figure when something is missing', async () => {
    node = new FakeNode((members) => list(members, keys.slice(1)));
    client = await node.open();
    await expect(readPages(client, { ...request, secondsMax: 10 })).rejects.toThrow(
      'list gave 2499 of 2500 items',
    );
  });
});

describe('closed loop', () => {
  it('keeps as many under way as asked, and counts what came back after the warm-up', async () => {
    let underWay = 0;
    let most = 0;
    const sequences: number[] = [];
    const result = await runClosedLoop({ inflight: 3, seconds: 0.05 }, async (sequence) => {
      sequences.push(sequence);
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    });
    expect(most).toBe(3);
    expect(sequences).toEqual(sequences.map((_, index) => index));
    expect(result.requests).toBeGreaterThan(0);
    expect(result.requests).toBeLessThan(sequences.length);
    expect(result.perSecond).toBe(result.requests / 0.05);
  });
});
