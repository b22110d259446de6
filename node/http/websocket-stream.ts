import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const NOT_BINARY = 1003;

/**
 * A WebSocket as the stream of bytes that MQTT wants: frames are no borders of packets [MQTT-6.0.0-2]. `ws` has
 * such a stream too, but takes text frames for bytes [MQTT-6.0.0-1].
 *
 * The socket is not read while nobody reads the stream, and a write is done when the socket has taken it, so
 * a peer that is slow is seen as one.
 */
export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  #ended = false;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    // There is nothing half about a WebSocket, but what has arrived is still dealt with.
    socket.on('close', () => this.#end());
    // Too large a frame, or none at all: `ws` tells the peer and closes.
    socket.on('error', () => this.#end());
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#socket.send(chunk, { binary: true, compress: false }, done);
  }

  /** The peer answers our closing frame with its own, and then the stream ends. */
  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(_error: Error | null, done: (error: null) => void): void {
    this.#socket.terminate();
    done(null);
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    if (!isBinary) {
      this.#socket.close(NOT_BINARY, 'MQTT is sent in binary frames');
      this.#end();
    } else if (!this.push(data)) {
      this.#socket.pause();
    }
  }

  #end(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }
}
