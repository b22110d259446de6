import type { WriteFailure, WriteSink } from '../../broker/data-plane.ts';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import type { ConditionalResult } from '../shard/condition.ts';
import type { ForwardOutcome } from '../shard/replica.ts';
import { WriteBatchBuilder, type WriteCondition } from '../shard/write-batch.ts';
import { type ConditionalSink, GatheredBatch } from './gathered-batch.ts';

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
  /** So many writes are in; the first of them was `add`ed so long ago. */
  readonly committed: (writes: number, afterMs: number) => void;
  /** Nobody answers where batches were sent: the next ones should go elsewhere. */
  readonly unanswered: () => void;
}

export const IN_FLIGHT_BATCHES_MAX = 2;
/** A batch as long as this follows another at once. */
export const FOLLOWING_BYTES_MIN = 16 * 1024;
const IN_FLIGHT_BYTES_MAX = 1024 * 1024;
/** A batch that gets no answer is sent again after this. */
export const RESEND_AFTER_MS = 3_000;

/**
 * This node's numbered stream of batches to one shard (DESIGN §5 ▣, Forwarding). Writes gather in the open
 * batch while others are in flight; a sealed batch is sent again, under its number, until it is applied.
 */
export class WriteStream {
  readonly #port: WriteStreamPort;
  /** What has no number yet, oldest first; the last one takes more. Empty ones do not stay. */
  #gathered: GatheredBatch[] = [];
  #gatheredBytes = 0;
  /** Nearly always there is one batch at a time: its builder has grown to the right size. */
  readonly #builder = new WriteBatchBuilder();
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;
  #nextNumber = 1;
  #resendDue = false;

  constructor(port: WriteStreamPort) {
    this.#port = port;
  }

  /** What is queued here in all. */
  get queuedBytes(): number {
    return this.#inFlightBytes + this.#gatheredBytes;
  }

  get isIdle(): boolean {
    return this.#gathered.length === 0 && this.#inFlight.length === 0;
  }

  add(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time: number,
    ttlMs = 0,
    condition?: WriteCondition,
  ): void {
    let batch = this.#gathered.at(-1);
    if (!batch?.hasRoomFor(keyEnd - keyStart + valueEnd - valueStart)) {
      const builder = batch === undefined ? this.#ownBuilder() : new WriteBatchBuilder();
      batch = new GatheredBatch(this.#port.nowMs(), builder);
      this.#gathered.push(batch);
    }
    const bytesBefore = batch.byteLength;
    batch.add(sink, token, buffer, keyStart, keyEnd, valueStart, valueEnd, time, ttlMs, condition);
    this.#gatheredBytes += batch.byteLength - bytesBefore;
  }

  /** Seals and sends what has gathered, as far as the window allows. */
  pump(): void {
    for (let next = this.#gathered[0]; next !== undefined; next = this.#gathered[0]) {
      const hasRoom =
        this.#inFlight.length === 0 ||
        (this.#inFlight.length < IN_FLIGHT_BATCHES_MAX &&
          this.#mayFollow(next) &&
          this.#inFlightBytes + next.byteLength <= IN_FLIGHT_BYTES_MAX);
      if (!hasRoom) return;
      this.#gathered.shift();
      this.#recount();
      this.#seal(next);
    }
  }

  /**
   * Each batch costs all replicas the same, however little is in it, and what comes until the answer makes it longer:
   * so it grows until it is as long as what is on its way.
   */
  #mayFollow({ byteLength }: GatheredBatch): boolean {
    return byteLength >= Math.min(FOLLOWING_BYTES_MIN, this.#inFlightBytes);
  }

  /** The leader, or somebody who is not, about batch `number`. Returns how many writes are committed by that. */
  answered(number: number, outcome: ForwardOutcome): number {
    switch (outcome.kind) {
      case 'committed': {
        const count = this.#committed(number, outcome.baseVersion, outcome.results ?? []);
        this.pump();
        return count;
      }
      case 'out-of-order':
      case 'bad-batch':
      case 'not-leader':
      case 'busy':
        // Not at once: every batch in flight gets the same answer. A new leader brings `resendAll` sooner.
        this.#resendDue = true;
        return 0;
    }
  }

  /** There may be a new leader: everything that is not applied goes there, in order. */
  resendAll(): void {
    const nowMs = this.#port.nowMs();
    this.#resendDue = false;
    // A copy: a leader on this node may answer, and take batches out, while they are sent.
    for (const batch of [...this.#inFlight]) {
      batch.sentAtMs = nowMs;
      this.#port.send(batch);
    }
  }

  /** Sends again what got no answer, and gives up writes that are older than the deadline. */
  tick(nowMs: number, deadlineMs: number): void {
    const unansweredMs = nowMs - (this.#inFlight[0]?.sentAtMs ?? nowMs);
    if (unansweredMs >= RESEND_AFTER_MS) this.#port.unanswered();
    if (this.#resendDue || unansweredMs >= RESEND_AFTER_MS) this.resendAll();
    for (const batch of this.#inFlight) {
      if (nowMs - batch.oldestMs >= deadlineMs) giveUp(batch, 'no-quorum');
    }
    while (nowMs - (this.#gathered[0]?.sinceMs ?? nowMs) >= deadlineMs) {
      this.#gathered.shift()?.fail('no-quorum');
    }
    this.#recount();
    this.pump();
  }

  /** A connection is gone: what it wrote and was not sealed yet is dropped (DESIGN §5 ▣). */
  forget(sink: WriteSink): void {
    for (const batch of this.#inFlight) {
      if (!batch.sinks.includes(sink)) continue;
      batch.sinks = batch.sinks.map((other) => (other === sink ? NOBODY : other));
    }
    for (const batch of this.#gathered) batch.forget(sink);
    this.#gathered = this.#gathered.filter(({ count }) => count > 0);
    this.#recount();
  }

  /** The node stops: nothing that waits will be acknowledged. */
  stop(): void {
    for (const batch of this.#inFlight) giveUp(batch, 'stopping');
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#recount();
    for (const batch of gathered) batch.fail('stopping');
  }

  #seal(gathered: GatheredBatch): void {
    const { count, sinks, tokens, sinceMs } = gathered;
    const bytes = gathered.takeBytes();
    const batch: InFlight = {
      number: this.#nextNumber++,
      count,
      crc: crc32c(bytes),
      bytes,
      sinks,
      tokens,
      oldestMs: sinceMs,
      sentAtMs: this.#port.nowMs(),
    };
    this.#inFlight.push(batch);
    this.#inFlightBytes += bytes.length;
    this.#port.send(batch);
  }

  #ownBuilder(): WriteBatchBuilder {
    this.#builder.reset();
    return this.#builder;
  }

  #recount(): void {
    let bytes = 0;
    for (const { byteLength } of this.#gathered) bytes += byteLength;
    this.#gatheredBytes = bytes;
  }

  /** Streams are applied in order: a batch that is in means that all before it are. */
  #committed(number: number, baseVersion: number, results: readonly ConditionalResult[]): number {
    const firstLeft = this.#inFlight.findIndex((batch) => batch.number > number);
    const done = this.#inFlight.splice(0, firstLeft < 0 ? this.#inFlight.length : firstLeft);
    const nowMs = this.#port.nowMs();
    let count = 0;
    for (const batch of done) {
      count += batch.count;
      if (batch.sinks.length > 0) this.#port.committed(batch.sinks.length, nowMs - batch.oldestMs);
      this.#inFlightBytes -= batch.bytes.length;
      const base = batch.number === number ? baseVersion : 0;
      if (batch.number === number) tellDecisions(batch, results);
      for (let i = 0; i < batch.sinks.length; i++) {
        const version = base === 0 ? 0 : base + i;
        (batch.sinks[i] as WriteSink).writeCommitted(batch.tokens[i] as number, version);
      }
    }
    return count;
  }
}

function tellDecisions(batch: InFlight, results: readonly ConditionalResult[]): void {
  for (const result of results) {
    const sink = batch.sinks[result.ordinal] as Partial<ConditionalSink> | undefined;
    sink?.decided?.(result);
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
