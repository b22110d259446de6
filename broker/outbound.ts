import { uint16 } from './field-reader.ts';
import { PacketType } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Output } from './output.ts';
import type { Grant, PacketWriter } from './packet-writer.ts';

export interface OutboundHooks {
  /** Whether the client's session was there already. */
  sessionPresent(): boolean;
  /** CONNACK with return code 0 was written. */
  accepted(): void;
  /** A SUBACK comes: what to say instead of its return codes. */
  suback(packetId: number, codes: Uint8Array): readonly Grant[];
  /** That SUBACK was written. */
  subackWritten(packetId: number): void;
  /** An UNSUBACK comes: which of the filters had a subscription. */
  unsuback(packetId: number): readonly boolean[];
}

/** Passes a session's answers to its client, in the client's form, and with what the session does not know. */
export class Outbound {
  readonly #output: Output;
  readonly #hooks: OutboundHooks;
  readonly #writer: PacketWriter;
  readonly #splitter = new FrameSplitter(Number.POSITIVE_INFINITY);

  constructor(output: Output, writer: PacketWriter, hooks: OutboundHooks) {
    this.#output = output;
    this.#writer = writer;
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
        if (buffer[bodyStart + 1] !== 0) return;
        this.#writer.connack(this.#hooks.sessionPresent());
        this.#hooks.accepted();
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

  #suback(packet: Uint8Array, bodyOffset: number): void {
    const packetId = uint16(packet, bodyOffset);
    const codes = packet.subarray(bodyOffset + 2);
    this.#writer.suback(packetId, this.#hooks.suback(packetId, codes));
    this.#hooks.subackWritten(packetId);
  }
}
