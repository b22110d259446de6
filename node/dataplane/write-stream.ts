import type { WriteFailure, WriteSink } from '../../broker/data-plane.ts';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import type { ForwardOutcome } from '../shard/replica.ts';
import { WriteBatchBuilder } from '../shard/write-batch.ts';

/** A batch with its number, on its way to the leader. */
export interface SealedBatch {
  readonly number: number;
  readonly count: number;
  readonly crc: number;
  readonly bytes: Uint8Array;
}

interface InFlight extends SealedBatch {
  /** Emptied when the writes were given up: the batch itself stays, its number must not be missing. */
  sinks: WriteSink[];
  readonly tokens: number[];
  readonly oldestMs: number;
  sentAtMs: number;
}

export interface WriteStreamPort {
  readonly nowMs: () => number;
  /** Sends a batch towards the leader; the answer comes back through `answered`. */
  readonly send: (batch: SealedBatch) => void;
}

const IN_FLIGHT_BATCHES_MAX = 8;
const IN_FLIGHT_BYTES_MAX = 1024 * 1024;
/** A batch that gets no answer is sent again after this. */
export const RESEND_AFTER_MS = 3_000;

/**
 * This node's numbered stream of batches to one shard (DESIGN §5 ▣, Forwarding). Writes gather in the open
 * batch while others are in flight; a sealed batch is sent again, under its number, until it is applied.
 */
export class WriteStream {
  readonly #port: WriteStreamPort;
  readonly #builder = new WriteBatchBuilder();
  #sinks: WriteSink[] = [];
  #tokens: number[] = [];
  #starts: number[] = [];
  #openSinceMs = 0;
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;
  #nextNumber = 1;
  #resendDue = false;

  constructor(port: WriteStreamPort) {
    this.#port = port;
  }

  /** What is queued here in all. */
  get queuedBytes(): number {
    return this.#inFlightBytes + (this.#builder.count > 0 ? this.#builder.byteLength : 0);
  }

  get isIdle(): boolean {
    return this.#builder.count === 0 && this.#inFlight.length === 0;
  }

  add(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.#builder.count === 0) this.#openSinceMs = this.#port.nowMs();
    this.#starts.push(this.#builder.add(buffer, keyStart, keyEnd, valueStart, valueEnd));
    this.#sinks.push(sink);
    this.#tokens.push(token);
  }

  /** Seals and sends what has gathered, as far as the window allows. */
  pump(): void {
    if (this.#builder.count === 0) return;
    const hasRoom =
      this.#inFlight.length === 0 ||
      (this.#inFlight.length < IN_FLIGHT_BATCHES_MAX &&
        this.#inFlightBytes + this.#builder.byteLength <= IN_FLIGHT_BYTES_MAX);
    if (!hasRoom) return;
    const count = this.#builder.count;
    const bytes = this.#builder.take();
    const batch: InFlight = {
      number: this.#nextNumber++,
      count,
      crc: crc32c(bytes),
      bytes,
      sinks: this.#sinks,
      tokens: this.#tokens,
      oldestMs: this.#openSinceMs,
      sentAtMs: this.#port.nowMs(),
    };
    this.#sinks = [];
    this.#tokens = [];
    this.#starts = [];
    this.#inFlight.push(batch);
    this.#inFlightBytes += bytes.length;
    this.#port.send(batch);
  }

  /** The leader, or somebody who is not, about batch `number`. */
  answered(number: number, outcome: ForwardOutcome): void {
    switch (outcome.kind) {
      case 'committed':
        this.#committed(number, outcome.baseVersion);
        this.pump();
        break;
      case 'out-of-order':
      case 'bad-batch':
      case 'not-leader':
      case 'busy':
        // Not at once: every batch in flight gets the same answer. A new leader brings `resendAll` sooner.
        this.#resendDue = true;
        break;
    }
  }

  /** There may be a new leader: everything that is not applied goes there, in order. */
  resendAll(): void {
    const nowMs = this.#port.nowMs();
    this.#resendDue = false;
    for (const batch of this.#inFlight) {
      batch.sentAtMs = nowMs;
      this.#port.send(batch);
    }
  }

  /** Sends again what got no answer, and gives up writes that are older than the deadline. */
  tick(nowMs: number, deadlineMs: number): void {
    const unansweredMs = nowMs - (this.#inFlight[0]?.sentAtMs ?? nowMs);
    if (this.#resendDue || unansweredMs >= RESEND_AFTER_MS) this.resendAll();
    for (const batch of this.#inFlight) {
      if (nowMs - batch.oldestMs >= deadlineMs) giveUp(batch, 'no-quorum');
    }
    if (this.#builder.count > 0 && nowMs - this.#openSinceMs >= deadlineMs) {
      this.#dropOpen('no-quorum');
    }
    this.pump();
  }

  /** A connection is gone: what it wrote and was not sealed yet is dropped (DESIGN §5 ▣). */
  forget(sink: WriteSink): void {
    for (const batch of this.#inFlight) {
      if (!batch.sinks.includes(sink)) continue;
      batch.sinks = batch.sinks.map((other) => (other === sink ? NOBODY : other));
    }
    for (let i = this.#sinks.length - 1; i >= 0; i--) {
      if (this.#sinks[i] === sink) this.#cut(i);
    }
  }

  /** The node stops: nothing that waits will be acknowledged. */
  stop(): void {
    for (const batch of this.#inFlight) giveUp(batch, 'stopping');
    this.#dropOpen('stopping');
  }

  #cut(index: number): void {
    const start = this.#starts[index] as number;
    const end = this.#starts[index + 1] ?? this.#builder.byteLength;
    this.#builder.cut(start, end, 1);
    this.#sinks.splice(index, 1);
    this.#tokens.splice(index, 1);
    this.#starts.splice(index, 1);
    for (let i = index; i < this.#starts.length; i++) {
      this.#starts[i] = (this.#starts[i] as number) - (end - start);
    }
  }

  /** Streams are applied in order: a batch that is in means that all before it are. */
  #committed(number: number, baseVersion: number): void {
    let done = 0;
    for (const batch of this.#inFlight) {
      if (batch.number > number) break;
      done += 1;
      this.#inFlightBytes -= batch.bytes.length;
      const base = batch.number === number ? baseVersion : 0;
      for (let i = 0; i < batch.sinks.length; i++) {
        const version = base === 0 ? 0 : base + i;
        (batch.sinks[i] as WriteSink).writeCommitted(batch.tokens[i] as number, version);
      }
    }
    this.#inFlight.splice(0, done);
  }

  #dropOpen(failure: WriteFailure): void {
    const sinks = this.#sinks;
    const tokens = this.#tokens;
    this.#builder.reset();
    this.#sinks = [];
    this.#tokens = [];
    this.#starts = [];
    for (let i = 0; i < sinks.length; i++) {
      (sinks[i] as WriteSink).writeFailed(tokens[i] as number, failure);
    }
  }
}

function giveUp(batch: InFlight, failure: WriteFailure): void {
  const sinks = batch.sinks;
  batch.sinks = [];
  for (let i = 0; i < sinks.length; i++) {
    (sinks[i] as WriteSink).writeFailed(batch.tokens[i] as number, failure);
  }
}

/** Stands in for a connection that is gone. */
const NOBODY: WriteSink = {
  writeCommitted: () => {},
  writeFailed: () => {},
  writesDrained: () => {},
};
