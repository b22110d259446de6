import { uint16 } from './field-reader.ts';
import { AckHeader, PacketType } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Output } from './output.ts';
import type { PacketIds } from './packet-ids.ts';
import type { Grant, PacketWriter } from './packet-writer.ts';

export interface OutboundHooks {
  /** CONNACK with return code 0 was written. */
  accepted(): void;
  /** A PUBACK or PUBREC comes. Whether it is not the session's to send. */
  acknowledged(packetId: number): boolean;
  /** A SUBACK comes: what to say instead of its return codes. */
  suback(packetId: number, codes: Uint8Array): readonly Grant[];
  /** That SUBACK was written. */
  subackWritten(packetId: number): void;
  /** An UNSUBACK comes: which of the filters had a subscription. */
  unsuback(packetId: number): readonly boolean[];
  /** A PUBLISH is not sent. The session is to take it for delivered, by this acknowledgement. */
  discarded(acknowledgement: Uint8Array): void;
  /** No packet id is free, so the session's packet cannot be sent. */
  noPacketId(): void;
}

/**
 * Passes a session's packets to its client, in the client's form. The packet ids are shared with our own deliveries,
 * and so is how many of them the client takes at a time: what is more waits here.
 */
export class Outbound {
  readonly #output: Output;
  readonly #packetIds: PacketIds;
  readonly #hooks: OutboundHooks;
  readonly #writer: PacketWriter;
  /** Only where the client says how many it takes: in MQTT 5, whose frames are our own copies. */
  readonly #waiting: Uint8Array[] = [];
  readonly #splitter = new FrameSplitter(Number.POSITIVE_INFINITY);

  constructor(output: Output, writer: PacketWriter, packetIds: PacketIds, hooks: OutboundHooks) {
    this.#output = output;
    this.#writer = writer;
    this.#packetIds = packetIds;
    this.#hooks = hooks;
  }

  receive(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
    while (this.#splitter.next() === 'frame') this.#packet();
  }

  /** A delivery was acknowledged: the next one may leave. */
  pump(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      this.#sendNext(this.#waiting.shift() as Uint8Array);
    }
  }

  #packet(): void {
    const { buffer, header, start, bodyStart, end } = this.#splitter;
    const packet = buffer.subarray(start, end);
    switch (header >> 4) {
      case PacketType.connack:
        if (buffer[bodyStart + 1] !== 0) return;
        this.#writer.connack(buffer[bodyStart] === 1);
        this.#hooks.accepted();
        return;
      case PacketType.puback:
      case PacketType.pubrec: {
        const packetId = uint16(buffer, bodyStart);
        if (!this.#hooks.acknowledged(packetId)) this.#writer.ack(header, packetId);
        return;
      }
      case PacketType.pubcomp:
        this.#writer.ack(header, uint16(buffer, bodyStart));
        return;
      case PacketType.publish:
        this.#publish(packet, bodyStart - start);
        return;
      case PacketType.pubrel:
        this.#withWireId(packet, bodyStart - start);
        return;
      case PacketType.suback:
        this.#suback(packet, bodyStart - start);
        return;
      case PacketType.unsuback: {
        const packetId = uint16(buffer, bodyStart);
        this.#writer.unsuback(packetId, this.#hooks.unsuback(packetId));
        return;
      }
      default:
        this.#output.write(packet);
    }
  }

  #publish(packet: Uint8Array, bodyOffset: number): void {
    const qos = ((packet[0] as number) >> 1) & 0b11;
    const frame = this.#writer.fromSession(packet, bodyOffset);
    if (frame === undefined) {
      if (qos > 0) this.#discard(packet, bodyOffset, qos);
    } else if (qos === 0) {
      this.#output.write(frame);
    } else if (this.#waiting.length === 0 && this.#hasRoom()) {
      this.#sendNext(frame);
    } else {
      this.#waiting.push(frame);
    }
  }

  #hasRoom(): boolean {
    return this.#packetIds.size < this.#writer.receiveMaximum;
  }

  #sendNext(frame: Uint8Array): void {
    const bodyOffset = bodyStartOf(frame);
    this.#withWireId(frame, bodyOffset + 2 + uint16(frame, bodyOffset));
  }

  #discard(packet: Uint8Array, bodyOffset: number, qos: number): void {
    const idOffset = bodyOffset + 2 + uint16(packet, bodyOffset);
    const header = qos === 1 ? AckHeader.puback : AckHeader.pubcomp;
    const [high, low] = packet.subarray(idOffset, idOffset + 2) as unknown as [number, number];
    this.#hooks.discarded(Uint8Array.of(header, 2, high, low));
  }

  #withWireId(packet: Uint8Array, offset: number): void {
    const wireId = this.#packetIds.toWire(uint16(packet, offset));
    if (wireId === undefined) this.#hooks.noPacketId();
    else this.#output.writeWithPacketId(packet, offset, wireId);
  }

  #suback(packet: Uint8Array, bodyOffset: number): void {
    const packetId = uint16(packet, bodyOffset);
    const codes = packet.subarray(bodyOffset + 2);
    this.#writer.suback(packetId, this.#hooks.suback(packetId, codes));
    this.#hooks.subackWritten(packetId);
  }
}

/** Behind the fixed header. */
function bodyStartOf(packet: Uint8Array): number {
  let position = 1;
  while ((packet[position] as number) >= 0x80) position += 1;
  return position + 1;
}
