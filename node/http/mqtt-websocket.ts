import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { WebSocketStream } from './websocket-stream.ts';

/** Takes over a connection that speaks MQTT. */
export type HandleMqtt = (stream: Duplex, address: string) => void;

const PATH = '/mqtt';
/** The second is what clients of MQTT 3.1 ask for. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
/** A frame is held until it is whole. The largest MQTT packet has 2 MiB, and clients send one or a few a frame. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/**
 * MQTT over WebSocket at `/mqtt` of an HTTP or HTTPS server. `isWelcome` says which requests may come at all; who
 * the user is says the CONNECT. Connections are the broker's to close.
 */
export function acceptMqttWebSockets(
  server: Server,
  options: {
    readonly handle: HandleMqtt;
    readonly isWelcome: (request: IncomingMessage) => boolean;
  },
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const status = refusal(request, options.isWelcome);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { remoteAddress = 'unknown', remotePort = 0 } = request.socket;
      options.handle(new WebSocketStream(webSocket), `${remoteAddress}:${remotePort}`);
    });
  });
}

function refusal(
  request: IncomingMessage,
  isWelcome: (request: IncomingMessage) => boolean,
): number | undefined {
  const path = request.url?.split('?', 1)[0];
  if (path !== PATH) return 404;
  if (!isWelcome(request)) return 403;
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  const names = offered.split(',').map((name) => name.trim());
  return SUBPROTOCOLS.some((name) => names.includes(name)) ? undefined : 400;
}
