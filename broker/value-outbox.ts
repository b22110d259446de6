import type { Counters } from './counters.ts';
import type { WatchedValue } from './data-plane.ts';
import { encodePublish } from './frame-encoder.ts';
import type { Output } from './output.ts';
import type { PacketIds } from './packet-ids.ts';
import type { ValueFrames } from './value-frames.ts';

/** What a queue entry costs beside its bytes, roughly. */
const ENTRY_BYTES = 128;
const NO_PREFIX = new Uint8Array(0);

interface Flags {
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A value, or a message of ours to this one client (an answer, a report) that nothing replaces. */
type Waiting =
  | (Flags & { readonly kind: 'value'; readonly item: WatchedValue; readonly bytes: number })
  | (Flags & {
      readonly kind: 'message';
      readonly topic: Uint8Array;
      readonly payload: Uint8Array;
      readonly bytes: number;
    });

/**
 * Our own deliveries to one connection. They are written at once while the client keeps up. When the
 * socket is full or too many QoS 1 deliveries are unacknowledged they wait here, and of each key only the
 * newest value: memory is bounded by the keys, and a slow reader sees what is true now.
 *
 * Invariant: of one key nothing older than what was sent last leaves.
 */
export class ValueOutbox {
  readonly #output: Output;
  readonly #packetIds: PacketIds;
  readonly #frames: ValueFrames;
  readonly #inflightMax: number;
  readonly #bytesMax: number;
  readonly #counters: Counters;
  readonly #onOverflow: () => void;
  /** In the order of first arrival; keyed by the value key's bytes, or by a number for messages. */
  readonly #waiting = new Map<string | number, Waiting>();
  #waitingBytes = 0;
  #messageCount = 0;
  #inflight = 0;
  #closed = false;
  /** The newest version of each key that was taken, while several watches can bring the same key. */
  #versions: Map<string, number> | undefined;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(options: {
    output: Output;
    packetIds: PacketIds;
    frames: ValueFrames;
    inflightMax: number;
    bytesMax: number;
    counters: Counters;
    onOverflow: () => void;
  }) {
    this.#output = options.output;
    this.#packetIds = options.packetIds;
    this.#frames = options.frames;
    this.#inflightMax = options.inflightMax;
    this.#bytesMax = options.bytesMax;
    this.#counters = options.counters;
    this.#onOverflow = options.onOverflow;
  }

  /**
   * Several watches of this connection may bring the same key, each in order but not in step. Then
   * versions are remembered per key, so that the slower one cannot take the client back.
   */
  guardVersions(wanted: boolean): void {
    if (!wanted) this.#versions = undefined;
    else this.#versions ??= new Map();
  }

  /** Sends a value, now or when there is room. A promise: please hold the snapshot until it resolves. */
  value(item: WatchedValue, flags: Flags): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#versions !== undefined && !this.#isNews(this.#versions, item)) return undefined;
    if (this.#waiting.size === 0 && this.#mayWrite(flags.qos)) {
      this.#writeValue(item, flags);
    } else {
      this.#enqueueValue(item, flags);
    }
    if (!item.snapshot || (this.#waiting.size === 0 && !this.#output.full)) return undefined;
    return this.#whenRoom();
  }

  /** Sends a message that is this connection's alone. */
  message(topic: Uint8Array, payload: Uint8Array, qos: 0 | 1): void {
    if (this.#closed) return;
    const message = { kind: 'message', topic, payload, qos, retain: false } as const;
    if (this.#waiting.size === 0 && this.#mayWrite(qos)) {
      this.#writeMessage(message);
      return;
    }
    this.#messageCount += 1;
    const bytes = topic.length + payload.length + ENTRY_BYTES;
    this.#enqueue(this.#messageCount, { ...message, bytes });
  }

  /** The client acknowledged one of our QoS 1 deliveries. */
  acknowledged(packetId: number): void {
    this.#packetIds.release(packetId);
    this.#inflight -= 1;
    this.pump();
  }

  /** Sends what waits as far as there is room. */
  pump(): void {
    for (const [name, waiting] of this.#waiting) {
      if (!this.#mayWrite(waiting.qos)) return;
      this.#waiting.delete(name);
      this.#waitingBytes -= waiting.bytes;
      if (waiting.kind === 'value') this.#writeValue(waiting.item, waiting);
      else this.#writeMessage(waiting);
    }
    if (this.#output.full) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Drops what waits and lets snapshots go. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#versions = undefined;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #isNews(versions: Map<string, number>, item: WatchedValue): boolean {
    const key = keyText(item.key);
    const newest = versions.get(key);
    if (newest !== undefined && item.version < newest) return false;
    versions.set(key, item.version);
    return true;
  }

  #mayWrite(qos: 0 | 1): boolean {
    return !this.#output.full && (qos === 0 || this.#inflight < this.#inflightMax);
  }

  #enqueueValue(item: WatchedValue, flags: Flags): void {
    const name = keyText(item.key);
    const bytes = item.key.length + item.value.length + ENTRY_BYTES;
    const earlier = this.#waiting.get(name);
    if (earlier?.kind !== 'value') {
      this.#enqueue(name, { kind: 'value', item, bytes, ...flags });
      return;
    }
    this.#counters.deliveriesConflated += 1;
    // A subscription that overlaps may have asked for more; the one copy that leaves serves both.
    const qos = earlier.qos === 1 ? 1 : flags.qos;
    if (item.version < earlier.item.version) {
      this.#waiting.set(name, { ...earlier, qos });
      return;
    }
    const retain = flags.retain || (earlier.retain && earlier.item.version === item.version);
    this.#waitingBytes -= earlier.bytes;
    this.#enqueue(name, { kind: 'value', item, bytes, qos, retain });
  }

  #enqueue(name: string | number, waiting: Waiting): void {
    this.#waiting.set(name, waiting);
    this.#waitingBytes += waiting.bytes;
    if (this.#waitingBytes > this.#bytesMax) this.#onOverflow();
  }

  #writeValue(item: WatchedValue, flags: Flags): void {
    const { bytes, packetIdOffset } = this.#frames.encode(item, flags);
    this.#counters.deliveries += 1;
    this.#write(bytes, packetIdOffset);
  }

  #writeMessage(
    message: Flags & { readonly topic: Uint8Array; readonly payload: Uint8Array },
  ): void {
    const { bytes, packetIdOffset } = encodePublish(
      NO_PREFIX,
      message.topic,
      message.payload,
      message,
    );
    this.#write(bytes, packetIdOffset);
  }

  #write(bytes: Uint8Array, packetIdOffset: number): void {
    if (packetIdOffset === 0) {
      this.#output.write(bytes);
      return;
    }
    const packetId = this.#packetIds.takeOwn();
    if (packetId === undefined) {
      this.#onOverflow();
      return;
    }
    this.#inflight += 1;
    this.#output.writeWithPacketId(bytes, packetIdOffset, packetId);
  }

  #whenRoom(): Promise<void> {
    if (this.#room === undefined) {
      let resolve: () => void = () => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }
}

/** Key bytes as a map key: exact, one character per byte. */
function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
