import { Duplex } from 'node:stream';

export interface SessionStreamHooks {
  /** The session wants to read more. */
  wantsInput(): void;
  /** What the session sends to the client. Returns whether it may go on; else call `roomForOutput`. */
  output(bytes: Uint8Array): boolean;
  /** The session, or the front itself, destroyed the stream. */
  closed(): void;
}

/** How much may wait to be read by the session before the front stops reading the socket. */
const INPUT_BYTES_MAX = 256 * 1024;
const OUTPUT_BYTES_MAX = 64 * 1024;

/** The connection as a session sees it: the other end of the front. */
export class SessionStream extends Duplex {
  readonly #hooks: SessionStreamHooks;
  #resumeOutput: (() => void) | undefined;

  constructor(hooks: SessionStreamHooks) {
    super({ readableHighWaterMark: INPUT_BYTES_MAX, writableHighWaterMark: OUTPUT_BYTES_MAX });
    this.#hooks = hooks;
  }

  roomForOutput(): void {
    const resume = this.#resumeOutput;
    this.#resumeOutput = undefined;
    resume?.();
  }

  override _read(): void {
    this.#hooks.wantsInput();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#output(chunk, done);
  }

  /** mqtt-packet writes a packet as about five chunks. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#output(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  /** Errors end here: why a session ends is of no use to the socket. */
  override _destroy(_error: Error | null, done: (error: null) => void): void {
    this.#resumeOutput = undefined;
    this.#hooks.closed();
    done(null);
  }

  #output(bytes: Uint8Array, done: () => void): void {
    if (this.#hooks.output(bytes)) done();
    else this.#resumeOutput = done;
  }
}
