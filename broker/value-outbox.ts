import type { BulkPace } from './bulk-pace.ts';
import type { Counters } from './counters.ts';
import type { WatchedValue } from './data-plane.ts';
import { encodePublish } from './frame-encoder.ts';
import { LazyMap } from './lazy-map.ts';
import type { Properties } from './mqtt5/properties.ts';
import type { IdOwner } from './ordinary/deliveries.ts';
import type { Output } from './output.ts';
import type { PacketIds } from './packet-ids.ts';
import type { PacketWriter } from './packet-writer.ts';
import { Signal } from './signal.ts';
import type { ValueForm } from './topics.ts';
import type { Delivery } from './value-frames.ts';

/** What a queue entry costs beside its bytes, roughly. */
const ENTRY_BYTES = 128;
const NO_PREFIX = new Uint8Array(0);

/** A value, or a message of ours to this one client (an answer, a report) that nothing replaces. */
type Waiting =
  | (Delivery & { readonly kind: 'value'; readonly item: WatchedValue; readonly bytes: number })
  | (Message & { readonly kind: 'message'; readonly bytes: number });

interface Message {
  readonly topic: Uint8Array;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: false;
  /** As they stand in the packet. */
  readonly properties: Uint8Array;
}

/**
 * Our own deliveries to one connection. They are written at once while the client keeps up. When the
 * socket is full or too many QoS 1 deliveries are unacknowledged they wait here, and of each key only the
 * newest value: memory is bounded by the keys, and a slow reader sees what is true now.
 *
 * Invariant: of one form and key nothing older than what was sent last leaves.
 */
export class ValueOutbox {
  readonly #output: Output;
  readonly #packetIds: PacketIds<IdOwner>;
  readonly #writer: PacketWriter;
  readonly #bytesMax: number;
  readonly #counters: Counters;
  readonly #pace: BulkPace;
  readonly #onOverflow: () => void;
  /** In the order of first arrival; keyed by form and key of a value, or by a number for messages. */
  readonly #waiting = new LazyMap<string | number, Waiting>();
  #waitingBytes = 0;
  #messageCount = 0;
  #closed = false;
  /** The newest version taken of each form and key, while several watches can bring the same key. */
  #versions: Map<string, number> | undefined;
  #room: Signal | undefined;
  #goesOnNextTurn = false;
  #skipped = 0;

  constructor(options: {
    output: Output;
    packetIds: PacketIds<IdOwner>;
    writer: PacketWriter;
    bytesMax: number;
    counters: Counters;
    pace: BulkPace;
    onOverflow: () => void;
  }) {
    this.#output = options.output;
    this.#packetIds = options.packetIds;
    this.#writer = options.writer;
    this.#bytesMax = options.bytesMax;
    this.#counters = options.counters;
    this.#pace = options.pace;
    this.#onOverflow = options.onOverflow;
  }

  /** Values of this connection that a newer one of the same key replaced before they could be sent. */
  get skipped(): number {
    return this.#skipped;
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
  value(item: WatchedValue, delivery: Delivery): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#versions !== undefined && !this.#isNews(this.#versions, item, delivery.form)) {
      return undefined;
    }
    if (this.#waiting.size === 0 && this.#mayWrite(delivery.qos)) {
      this.#writeValue(item, delivery);
    } else {
      this.#enqueueValue(item, delivery);
    }
    if (!item.snapshot) return undefined;
    const nextTurn = this.#pace.take();
    const hasRoom = this.#waiting.size === 0 && !this.#output.full;
    return hasRoom ? nextTurn : this.#whenRoom();
  }

  /** Sends a message that is this connection's alone. */
  message(topic: Uint8Array, payload: Uint8Array, qos: 0 | 1, described: Properties = {}): void {
    if (this.#closed) return;
    const properties = this.#writer.encodeProperties(described);
    const message = { kind: 'message', topic, payload, qos, properties, retain: false } as const;
    if (this.#waiting.size === 0 && this.#mayWrite(qos)) {
      this.#writeMessage(message);
      return;
    }
    this.#messageCount += 1;
    const bytes = topic.length + payload.length + ENTRY_BYTES;
    this.#enqueue(this.#messageCount, { ...message, bytes });
  }

  /** Sends what waits as far as there is room. */
  pump(): void {
    if (this.#goesOnNextTurn) return;
    for (const [name, waiting] of this.#waiting) {
      if (!this.#mayWrite(waiting.qos)) return;
      this.#waiting.delete(name);
      this.#waitingBytes -= waiting.bytes;
      if (waiting.kind === 'value') this.#writeValue(waiting.item, waiting);
      else this.#writeMessage(waiting);
      const nextTurn = this.#pace.take();
      if (nextTurn !== undefined && this.#waiting.size > 0) return this.#goOn(nextTurn);
    }
    if (this.#output.full) return;
    this.#room?.give();
    this.#room = undefined;
  }

  /** Drops what waits and lets snapshots go. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#versions = undefined;
    this.#room?.give();
    this.#room = undefined;
  }

  #goOn(nextTurn: Promise<void>): void {
    this.#goesOnNextTurn = true;
    void nextTurn.then(() => {
      this.#goesOnNextTurn = false;
      this.pump();
    });
  }

  #isNews(versions: Map<string, number>, item: WatchedValue, form: ValueForm): boolean {
    const key = nameOf(item.key, form);
    const newest = versions.get(key);
    if (newest !== undefined && item.version < newest) return false;
    versions.set(key, item.version);
    return true;
  }

  #mayWrite(qos: 0 | 1): boolean {
    return !this.#output.full && (qos === 0 || this.#packetIds.hasRoom);
  }

  #enqueueValue(item: WatchedValue, delivery: Delivery): void {
    const name = nameOf(item.key, delivery.form);
    const bytes = item.key.length + item.value.length + ENTRY_BYTES;
    const earlier = this.#waiting.get(name);
    if (earlier?.kind !== 'value') {
      this.#enqueue(name, { ...delivery, kind: 'value', item, bytes });
      return;
    }
    this.#counters.deliveriesConflated += 1;
    this.#skipped += 1;
    // A subscription that overlaps may have asked for more; the one copy that leaves serves both.
    const qos = earlier.qos === 1 ? 1 : delivery.qos;
    const identifiers = union(earlier.identifiers, delivery.identifiers);
    if (item.version < earlier.item.version) {
      this.#waiting.set(name, { ...earlier, qos, identifiers });
      return;
    }
    const retain = delivery.retain || (earlier.retain && earlier.item.version === item.version);
    this.#waitingBytes -= earlier.bytes;
    this.#enqueue(name, { ...delivery, kind: 'value', item, bytes, qos, retain, identifiers });
  }

  #enqueue(name: string | number, waiting: Waiting): void {
    this.#waiting.set(name, waiting);
    this.#waitingBytes += waiting.bytes;
    if (this.#waitingBytes > this.#bytesMax) this.#onOverflow();
  }

  #writeValue(item: WatchedValue, delivery: Delivery): void {
    const { bytes, packetIdOffset } = this.#writer.frames.encode(item, delivery);
    this.#counters.deliveries += 1;
    this.#write(bytes, packetIdOffset);
  }

  #writeMessage(message: Message): void {
    const { bytes, packetIdOffset } = encodePublish(
      NO_PREFIX,
      message.topic,
      message.payload,
      message,
      message.properties,
    );
    this.#write(bytes, packetIdOffset);
  }

  #write(bytes: Uint8Array, packetIdOffset: number): void {
    if (bytes.length > this.#writer.packetBytesMax) {
      this.#counters.deliveriesTooLarge += 1;
      return;
    }
    if (packetIdOffset === 0) {
      this.#output.write(bytes);
      return;
    }
    this.#output.writeWithPacketId(bytes, packetIdOffset, this.#packetIds.take('value'));
  }

  #whenRoom(): Promise<void> {
    this.#room ??= new Signal();
    return this.#room.happened;
  }
}

function union(some: readonly number[], others: readonly number[]): readonly number[] {
  if (others.length === 0 || some === others) return some;
  return some.length === 0 ? others : [...new Set([...some, ...others])];
}

/** Form and key as a map key: exact, one character per byte. */
function nameOf(key: Uint8Array, form: ValueForm): string {
  return form + Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
