import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect } from 'vitest';
import { WebSocket } from 'ws';
import { acceptMqttWebSockets } from '../../../node/http/mqtt-websocket.ts';
import { startBroker } from '../../broker/harness.ts';
import { connect, PINGREQ } from '../packets.ts';
import { v311 } from '../suite.ts';

const keeps = v311();
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A WebSocket to a broker of its own, with what the server sends and how it ends. */
async function dial() {
  const { broker } = await startBroker();
  const server = createServer();
  const handle = (stream: Parameters<typeof broker.handle>[0], address: string) =>
    broker.handle(stream, address);
  acceptMqttWebSockets(server, { handle, isWelcome: () => true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`, [
    'other',
    'mqtt',
  ]);
  cleanUp.push(
    () => server.close(),
    () => broker.close(),
    () => socket.terminate(),
  );
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const received: Buffer[] = [];
  const bytes = (count: number) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const all = Buffer.concat(received);
        if (all.length >= count) resolve(all.toString('hex'));
      };
      socket.on('message', (data: Buffer) => {
        received.push(data);
        look();
      });
      look();
    });
  return { socket, closed, bytes };
}

keeps('[MQTT-6.0.0-1]', async () => {
  const { socket, closed } = await dial();
  socket.send(connect({ id: 'text' }).toString('latin1'));
  await closed;
});

keeps('[MQTT-6.0.0-2]', async () => {
  const { socket, bytes } = await dial();
  const answers = bytes(4 + 2 + 2);
  const packets = Buffer.concat([connect({ id: 'pieces' }), PINGREQ, PINGREQ]);
  const half = packets.length - 3;
  for (const byte of packets.subarray(0, half)) socket.send(Buffer.of(byte));
  socket.send(packets.subarray(half));
  expect(await answers).toBe('20020000d000d000');
});

keeps('[MQTT-6.0.0-4]', async () => {
  const { socket } = await dial();
  expect(socket.protocol).toBe('mqtt');
});
