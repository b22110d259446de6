import { uint16 } from './field-reader.ts';
import { encodeSuback, PacketType } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Output } from './output.ts';
import type { PacketIds } from './packet-ids.ts';

export interface OutboundHooks {
  /** CONNACK with return code 0 was written. */
  accepted(): void;
  /** A PUBACK or PUBREC comes. Whether it is not the session's to send. */
  acknowledged(packetId: number): boolean;
  /** A SUBACK comes: the return codes to send instead. */
  suback(packetId: number, codes: Uint8Array): Uint8Array;
  /** That SUBACK was written. */
  subackWritten(packetId: number): void;
  /** No packet id is free, so the session's packet cannot be sent. */
  noPacketId(): void;
}

/**
 * Passes a session's packets to its client, as they are but for the packet ids, which it shares with our
 * own deliveries, and the return codes of SUBACKs.
 */
export class Outbound {
  readonly #output: Output;
  readonly #packetIds: PacketIds;
  readonly #hooks: OutboundHooks;
  readonly #splitter = new FrameSplitter(Number.POSITIVE_INFINITY);

  constructor(output: Output, packetIds: PacketIds, hooks: OutboundHooks) {
    this.#output = output;
    this.#packetIds = packetIds;
    this.#hooks = hooks;
  }

  receive(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
    while (this.#splitter.next() === 'frame') this.#packet();
  }

  #packet(): void {
    const { buffer, header, start, bodyStart, end } = this.#splitter;
    const packet = buffer.subarray(start, end);
    switch (header >> 4) {
      case PacketType.connack:
        this.#output.write(packet);
        if (buffer[bodyStart + 1] === 0) this.#hooks.accepted();
        return;
      case PacketType.puback:
      case PacketType.pubrec:
        if (!this.#hooks.acknowledged(uint16(buffer, bodyStart))) this.#output.write(packet);
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
      default:
        this.#output.write(packet);
    }
  }

  #publish(packet: Uint8Array, bodyOffset: number): void {
    if (((packet[0] as number) & 0b110) === 0) {
      this.#output.write(packet);
      return;
    }
    this.#withWireId(packet, bodyOffset + 2 + uint16(packet, bodyOffset));
  }

  #withWireId(packet: Uint8Array, offset: number): void {
    const wireId = this.#packetIds.toWire(uint16(packet, offset));
    if (wireId === undefined) this.#hooks.noPacketId();
    else this.#output.writeWithPacketId(packet, offset, wireId);
  }

  #suback(packet: Uint8Array, bodyOffset: number): void {
    const packetId = uint16(packet, bodyOffset);
    const codes = this.#hooks.suback(packetId, packet.subarray(bodyOffset + 2));
    this.#output.write(encodeSuback(packetId, codes));
    this.#hooks.subackWritten(packetId);
  }
}
