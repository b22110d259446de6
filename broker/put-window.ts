import assert from 'node:assert/strict';
import { AckHeader } from './frame-encoder.ts';
import { LazyMap } from './lazy-map.ts';
import type { LazySet } from './lazy-set.ts';
import type { Refusal } from './refusals.ts';

const State = { pending: 0, committed: 1, done: 2 } as const;

/** The token of everything that nobody acknowledges (QoS 0). */
export const UNACKNOWLEDGED = 0;

const FIRST_CAPACITY = 16;
/** Most connections never put anything. */
const NO_IDS = new Uint16Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_TIMES = new Float64Array(0);
/** Up to here repeats are found by looking; beyond, a bit per packet id (8 KiB) pays. */
const SCAN_MAX = 64;

/** Takes one acknowledgement: the packet's first byte and the packet id, and what was wrong if something was. */
export type SendAck = (header: number, packetId: number, refusal?: Refusal) => void;

/**
 * The PUBLISHes of one connection that are ours and have no outcome yet, in the order they came, and the
 * acknowledgements they earn. A ring over token numbers, in typed arrays: no object per reading.
 *
 * PUBACKs and PUBRECs leave in PUBLISH order [MQTT-4.6.0-2] as a courtesy: once an unfinished put has waited
 * `passAfterMs`, finished ones pass it, so that one shard without a leader does not silence the others.
 */
export class PutWindow {
  readonly #capacityMax: number;
  readonly #passAfterMs: number;
  /** QoS 2 ids acknowledged with PUBREC, until their PUBREL. Belongs to the session, not the connection. */
  readonly #received: LazySet<number>;

  /** Tokens in [#head, #tail) are in the ring; the slot of a token is its low bits. */
  #head = UNACKNOWLEDGED + 1;
  #tail = UNACKNOWLEDGED + 1;
  #packetIds = NO_IDS;
  #states = NO_BYTES;
  #qos = NO_BYTES;
  #begunAtMs = NO_TIMES;
  #pendingBits: Uint8Array | undefined;
  /** Those whose acknowledgement says that they were refused. */
  readonly #refusals = new LazyMap<number, Refusal>();

  /** Without an outcome: in the ring, and of QoS 0. */
  #pending = 0;
  #unacknowledged = 0;

  constructor(options: { capacityMax: number; passAfterMs: number; received: LazySet<number> }) {
    this.#capacityMax = options.capacityMax;
    this.#passAfterMs = options.passAfterMs;
    this.#received = options.received;
  }

  /** Puts and requests that have no outcome yet. */
  get outstanding(): number {
    return this.#pending + this.#unacknowledged;
  }

  /** Those of them that the client waits for an acknowledgement of. */
  get pendingAcknowledged(): number {
    return this.#pending;
  }

  /** No more should be read. What is read all the same is still taken. */
  get full(): boolean {
    return this.#tail - this.#head + this.#unacknowledged >= this.#capacityMax;
  }

  /**
   * Whether a PUBLISH repeats one we have: `pending` ones are acknowledged in their own time, `received` ones
   * (QoS 2, [MQTT-4.3.3-2]) get their PUBREC again.
   */
  repeats(packetId: number, qos: number): 'no' | 'pending' | 'received' {
    if (qos === 2 && this.#received.has(packetId)) return 'received';
    return this.#isPending(packetId) ? 'pending' : 'no';
  }

  /** Adds a PUBLISH that is no repeat. Its outcome comes with the token that this returns. */
  begin(packetId: number, qos: number, nowMs: number): number {
    if (qos === 0) {
      this.#unacknowledged += 1;
      return UNACKNOWLEDGED;
    }
    if (this.#tail - this.#head === this.#states.length) this.#grow();
    const token = this.#tail;
    const slot = this.#slot(token);
    this.#tail += 1;
    this.#packetIds[slot] = packetId;
    this.#states[slot] = State.pending;
    this.#qos[slot] = qos;
    this.#begunAtMs[slot] = nowMs;
    this.#pending += 1;
    this.#mark(packetId, true);
    return token;
  }

  /** Earns an acknowledgement; `collect` hands it out. */
  committed(token: number): void {
    if (token === UNACKNOWLEDGED) this.#unacknowledged -= 1;
    else this.#settle(token, State.committed);
  }

  /** Earns an acknowledgement that says so, in its turn. */
  refused(token: number, refusal: Refusal): void {
    this.committed(token);
    if (token !== UNACKNOWLEDGED) this.#refusals.set(token, refusal);
  }

  /** Never acknowledged. */
  failed(token: number): void {
    if (token === UNACKNOWLEDGED) {
      this.#unacknowledged -= 1;
      return;
    }
    this.#settle(token, State.done);
    this.#mark(this.#packetIds[this.#slot(token)] as number, false);
  }

  /** A PUBREL came. Whether the id was ours. */
  released(packetId: number): boolean {
    return this.#received.delete(packetId);
  }

  /**
   * Hands out the acknowledgements that may leave now. Returns in how many milliseconds to ask again because
   * more of them could pass by then; undefined when nothing waits.
   */
  collect(
    nowMs: number,
    send: SendAck,
    options: { readonly anyOrder: boolean },
  ): number | undefined {
    this.#collectHead(send);
    if (this.#head === this.#tail) return undefined;
    const waitedMs = nowMs - (this.#begunAtMs[this.#slot(this.#head)] as number);
    const pass = options.anyOrder || waitedMs >= this.#passAfterMs;
    for (let token = this.#head + 1; token < this.#tail; token += 1) {
      if (this.#states[this.#slot(token)] !== State.committed) continue;
      if (!pass) return this.#passAfterMs - waitedMs;
      this.#acknowledge(token, send);
    }
    return undefined;
  }

  #collectHead(send: SendAck): void {
    while (this.#head < this.#tail) {
      const state = this.#states[this.#slot(this.#head)];
      if (state === State.pending) return;
      if (state === State.committed) this.#acknowledge(this.#head, send);
      this.#head += 1;
    }
  }

  #acknowledge(token: number, send: SendAck): void {
    const slot = this.#slot(token);
    const packetId = this.#packetIds[slot] as number;
    this.#states[slot] = State.done;
    this.#mark(packetId, false);
    const isOnce = this.#qos[slot] === 2;
    const header = isOnce ? AckHeader.pubrec : AckHeader.puback;
    const refusal = this.#refusals.size === 0 ? undefined : this.#refusals.get(token);
    if (refusal !== undefined) {
      // No PUBREL follows a PUBREC that says that it has failed (MQTT 5 §4.3.3).
      this.#refusals.delete(token);
      send(header, packetId, refusal);
      return;
    }
    if (isOnce) this.#received.add(packetId);
    send(header, packetId);
  }

  #settle(token: number, state: number): void {
    assert(token >= this.#head && token < this.#tail, 'an outcome belongs to a put in the window');
    const slot = this.#slot(token);
    assert(this.#states[slot] === State.pending, 'a put has one outcome');
    this.#states[slot] = state;
    this.#pending -= 1;
  }

  #isPending(packetId: number): boolean {
    const bits = this.#pendingBits;
    if (bits !== undefined) {
      return ((bits[packetId >> 3] as number) & (1 << (packetId & 7))) !== 0;
    }
    for (let token = this.#head; token < this.#tail; token += 1) {
      const slot = this.#slot(token);
      if (this.#packetIds[slot] === packetId && this.#states[slot] !== State.done) return true;
    }
    return false;
  }

  #mark(packetId: number, pending: boolean): void {
    const bits = this.#pendingBits;
    if (bits === undefined) return;
    const bit = 1 << (packetId & 7);
    const byte = bits[packetId >> 3] as number;
    bits[packetId >> 3] = pending ? byte | bit : byte & ~bit;
  }

  #slot(token: number): number {
    return token & (this.#states.length - 1);
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, 2 * this.#states.length);
    const packetIds = new Uint16Array(capacity);
    const states = new Uint8Array(capacity);
    const qos = new Uint8Array(capacity);
    const begunAtMs = new Float64Array(capacity);
    for (let token = this.#head; token < this.#tail; token += 1) {
      const from = this.#slot(token);
      const to = token & (capacity - 1);
      packetIds[to] = this.#packetIds[from] as number;
      states[to] = this.#states[from] as number;
      qos[to] = this.#qos[from] as number;
      begunAtMs[to] = this.#begunAtMs[from] as number;
    }
    this.#packetIds = packetIds;
    this.#states = states;
    this.#qos = qos;
    this.#begunAtMs = begunAtMs;
    if (capacity > SCAN_MAX && this.#pendingBits === undefined) this.#countInBits();
  }

  #countInBits(): void {
    this.#pendingBits = new Uint8Array(0x10000 / 8);
    for (let token = this.#head; token < this.#tail; token += 1) {
      const slot = this.#slot(token);
      if (this.#states[slot] !== State.done) this.#mark(this.#packetIds[slot] as number, true);
    }
  }
}
