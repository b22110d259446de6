import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import mqtt from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { acceptMqttWebSockets } from '../../../node/http/mqtt-websocket.ts';
import { startBroker } from '../../broker/harness.ts';
import { connect, publish } from '../../support/mqtt-frames.ts';

const MIB = 1024 * 1024;
const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function listen(
  handle: (stream: Duplex, address: string) => void,
  isWelcome = () => true,
): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => response.end());
  acceptMqttWebSockets(server, { handle, isWelcome });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt` };
}

async function startNode() {
  const harness = await startBroker();
  const { url } = await listen((stream, address) => harness.broker.handle(stream, address));
  cleanUp.push(() => harness.broker.close());
  return { ...harness, url };
}

interface Dialled {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly received: Buffer[];
}

async function dial(url: string, protocols: string | string[] = 'mqtt'): Promise<Dialled> {
  const socket = new WebSocket(url, protocols);
  const received: Buffer[] = [];
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('message', (data: Buffer) => received.push(data));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  cleanUp.push(() => socket.terminate());
  return { socket, closed, received };
}

describe('MQTT over WebSocket', () => {
  it('puts, gets its PUBACK, and sees values, large ones too', async () => {
    const { url, plane } = await startNode();
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
    cleanUp.push(() => client.endAsync());
    const large = Buffer.alloc(MIB, 'x');
    const seen = new Promise<Buffer>((resolve) => {
      client.on('message', (topic, payload) => topic === 'dss/value/large' && resolve(payload));
    });
    await client.subscribeAsync('dss/value/#', { qos: 1 });
    await client.publishAsync('dss/put/small', '21.5', { qos: 1 });
    expect(plane.value('small')).toBe('21.5');
    await client.publishAsync('dss/put/large', large, { qos: 1 });
    expect((await seen).equals(large)).toBe(true);
  });

  it('cares for bytes, not for frames', async () => {
    const { url, plane } = await startNode();
    const { socket, received } = await dial(url);
    const bytes = Buffer.concat([
      connect(),
      publish('dss/put/a', '1', { qos: 1, id: 1 }),
      publish('dss/put/b', '2', { qos: 1, id: 2 }),
    ]);
    const answered = new Promise<void>((resolve) => {
      socket.on('message', () => Buffer.concat(received).length >= 12 && resolve());
    });
    for (const byte of bytes.subarray(0, 20)) socket.send(Buffer.of(byte));
    socket.send(bytes.subarray(20));
    await answered;
    expect(Buffer.concat(received).toString('hex')).toBe('200200004002000140020002');
    expect([plane.value('a'), plane.value('b')]).toEqual(['1', '2']);
  });

  it.each([
    ['another path', '/other', 'mqtt', 404],
    ['no subprotocol', '', [], 400],
    ['another subprotocol', '', ['chat'], 400],
  ])('is refused with %s', async (_, path, protocols, status) => {
    const { url } = await startNode();
    await expect(dial(url + path, protocols)).rejects.toThrow(`${status}`);
  });

  it('chooses its subprotocol among others', async () => {
    const { url } = await startNode();
    expect((await dial(url, ['chat', 'mqtt'])).socket.protocol).toBe('mqtt');
    expect((await dial(url, ['mqttv3.1'])).socket.protocol).toBe('mqttv3.1');
  });

  it('is refused to whom nobody wants', async () => {
    const { url } = await listen(
      () => {
        throw new Error('it was let in');
      },
      () => false,
    );
    await expect(dial(url)).rejects.toThrow('403');
  });

  it('closes at a text frame, and takes nothing from it', async () => {
    const { url, plane } = await startNode();
    const { socket, closed } = await dial(url);
    socket.send(connect());
    socket.send(publish('dss/put/a', '1').toString('latin1'));
    socket.send(publish('dss/put/b', '1'));
    expect(await closed).toBe(1003);
    expect(plane.writes).toHaveLength(0);
  });

  it('closes at a frame that is larger than any packet', async () => {
    const { url, broker } = await startNode();
    const { socket, closed } = await dial(url);
    socket.send(Buffer.alloc(4 * MIB + 1));
    expect([1006, 1009]).toContain(await closed);
    await broker.close();
  });

  it('takes everything from a client that sends it and closes', async () => {
    const { url, plane, broker } = await startNode();
    const { socket, closed } = await dial(url);
    socket.send(connect());
    for (let i = 0; i < 1_000; i += 1) socket.send(publish(`dss/put/${i}`, 'v'));
    socket.close();
    await closed;
    await broker.close();
    expect(plane.writes).toHaveLength(1_000);
  });

  it('ends with a closing frame when the node ends the connection', async () => {
    const { url, broker } = await startNode();
    const { socket, closed, received } = await dial(url);
    socket.send(connect());
    await new Promise((resolve) => socket.once('message', resolve));
    await broker.close();
    expect(await closed).toBe(1005);
    expect(received).toHaveLength(1);
  });

  it('notices a client that vanishes', async () => {
    const { url, broker } = await startNode();
    const { socket } = await dial(url);
    socket.send(connect());
    await new Promise((resolve) => socket.once('message', resolve));
    socket.terminate();
    while (broker.counters().connections > 0) await new Promise(setImmediate);
  });

  it('reads no further while nobody takes what was read, and says when it cannot write', async () => {
    let server: Duplex | undefined;
    const { url } = await listen((stream) => {
      server = stream;
      stream.on('error', () => {});
    });
    const { socket } = await dial(url);
    const stream = server as unknown as Duplex;
    const chunk = Buffer.alloc(64 * 1024, 1);
    const sent = 64 * MIB;
    for (let bytes = 0; bytes < sent; bytes += chunk.length) socket.send(chunk);
    // The kernel's buffers fill; the rest has to stay with the client.
    let before = -1;
    while (socket.bufferedAmount !== before) {
      before = socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(before).toBeGreaterThan(sent / 2);
    expect(stream.readableLength).toBeLessThan(MIB);
    let taken = 0;
    await new Promise<void>((resolve) => {
      stream.on('data', (data: Buffer) => {
        taken += data.length;
        if (taken === sent) resolve();
      });
    });

    socket.pause();
    let written = 0;
    while (stream.write(chunk) && written < sent) {
      written += chunk.length;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(sent);
    stream.destroy();
  });

  it('leaves other upgrades of the server without an answer of ours that could be taken for one', async () => {
    const { url } = await startNode();
    const { port, hostname } = new URL(url);
    const socket = connectTcp(Number(port), hostname);
    socket.write('GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n');
    socket.write('Sec-WebSocket-Protocol: mqtt\r\n\r\n');
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    socket.destroy();
  });
});
