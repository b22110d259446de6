import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { parseConnect } from '../../../broker/connect-packet.ts';
import { FrameSplitter } from '../../../broker/frame-splitter.ts';
import { NODE_USER_PREFIX } from '../../../node/transport/secret.ts';
import { Lane, type LaneState } from './link-lane.ts';

const CONNECT_BYTES_MAX = 4_096;

/** A connection that one node opened to another. */
interface Connection {
  readonly from: string;
  readonly to: number;
  /** What the node sends that opened it, and what it is answered. */
  readonly forth: Lane;
  readonly back: Lane;
}

/**
 * The network between the nodes of a test. Every node advertises a port of ours instead of its own, and whoever
 * connects there says in its CONNECT which node it is: so each pair has a link of its own, in each direction, and
 * it does not matter from whom a node learned an address. Clients use the nodes' own ports.
 */
export class LinkProxy {
  readonly #servers: Server[] = [];
  /** Where the nodes really listen. */
  readonly #targets = new Map<number, number>();
  readonly #indexes = new Map<string, number>();
  readonly #connections = new Set<Connection>();
  readonly #greeting = new Set<Socket>();
  /** By `from>to`, indexes of nodes; what is not there is open. */
  readonly #states = new Map<string, LaneState>();

  /** Opens a door for node `index` that leads to its own port. Returns the address to advertise. */
  async open(index: number, mqttPort: number): Promise<string> {
    this.#targets.set(index, mqttPort);
    const server = createServer((socket) => this.#greet(socket, index));
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The id under which a node speaks to others; links of nodes that are not known stay open. */
  learn(index: number, nodeId: string): void {
    this.#indexes.set(nodeId, index);
    this.#applyStates();
  }

  /** What one node sends another no longer arrives, or late; connections stay open. */
  set(from: number, to: number, state: LaneState): void {
    this.#states.set(`${from}>${to}`, state);
    this.#applyStates();
  }

  /** The same in both directions. */
  setBoth(one: number, other: number, state: LaneState): void {
    this.set(one, other, state);
    this.set(other, one, state);
  }

  /** Everything arrives again; what was held first. Connections that lost something are closed. */
  heal(): void {
    this.#states.clear();
    this.#applyStates();
  }

  /** Closes every connection between the two nodes; they may open others. */
  closeConnections(one: number, other: number): void {
    for (const { from, to, forth, back } of this.#connections) {
      const index = this.#indexes.get(from);
      if (!(index === one && to === other) && !(index === other && to === one)) continue;
      forth.destroy();
      back.destroy();
    }
  }

  async close(): Promise<void> {
    for (const { forth, back } of this.#connections) {
      forth.destroy();
      back.destroy();
    }
    for (const socket of this.#greeting) socket.destroy();
    const closed = this.#servers.map((server) => new Promise((done) => server.close(done)));
    await Promise.all(closed);
  }

  /** Takes bytes until they are a CONNECT. */
  #greet(socket: Socket, to: number): void {
    this.#greeting.add(socket);
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const from = senderOf(bytes);
      if (from === undefined && bytes.length < CONNECT_BYTES_MAX) return;
      socket.off('data', onData);
      socket.pause();
      this.#greeting.delete(socket);
      this.#join(socket, to, from ?? '', bytes);
    };
    socket.on('data', onData);
    socket.on('error', () => {});
    socket.once('close', () => this.#greeting.delete(socket));
  }

  #join(socket: Socket, to: number, from: string, greeting: Buffer): void {
    const target = connect({ port: this.#targets.get(to) as number, host: '127.0.0.1' });
    socket.setNoDelay(true);
    target.setNoDelay(true);
    target.on('error', () => {});
    const forth = new Lane(socket, target);
    const back = new Lane(target, socket);
    const connection = { from, to, forth, back };
    this.#connections.add(connection);
    target.once('close', () => this.#connections.delete(connection));
    this.#apply(connection);
    forth.push(greeting);
    socket.resume();
  }

  #applyStates(): void {
    for (const connection of this.#connections) this.#apply(connection);
  }

  #apply({ from, to, forth, back }: Connection): void {
    const index = this.#indexes.get(from);
    forth.state = this.#states.get(`${index}>${to}`) ?? 'open';
    back.state = this.#states.get(`${to}>${index}`) ?? 'open';
  }
}

/** The node id in a CONNECT that begins these bytes, if there is one and all of it is there. */
function senderOf(bytes: Buffer): string | undefined {
  const splitter = new FrameSplitter(CONNECT_BYTES_MAX);
  splitter.push(bytes);
  if (splitter.next() !== 'frame') return undefined;
  const connect = parseConnect(splitter.buffer, splitter);
  const username = 'malformed' in connect ? undefined : connect.username;
  return username?.startsWith(NODE_USER_PREFIX) ? username.slice(NODE_USER_PREFIX.length) : '';
}
