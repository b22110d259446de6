import { uint16 } from './field-reader.ts';
import { ConnectReturn, encodeConnack, encodeSuback, PacketType } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import type { Output } from './output.ts';

export interface OutboundHooks {
  /** Whether the client's session was there already. */
  sessionPresent(): boolean;
  /** CONNACK with return code 0 was written. */
  accepted(): void;
  /** A PUBACK or PUBREC comes. Whether it is not the session's to send. */
  acknowledged(packetId: number): boolean;
  /** A SUBACK comes: the return codes to send instead. */
  suback(packetId: number, codes: Uint8Array): Uint8Array;
  /** That SUBACK was written. */
  subackWritten(packetId: number): void;
}

/** Passes a session's packets to its client, as they are but for what the session does not know. */
export class Outbound {
  readonly #output: Output;
  readonly #hooks: OutboundHooks;
  readonly #splitter = new FrameSplitter(Number.POSITIVE_INFINITY);

  constructor(output: Output, hooks: OutboundHooks) {
    this.#output = output;
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
        this.#connack(buffer[bodyStart + 1] as number);
        return;
      case PacketType.puback:
      case PacketType.pubrec:
        if (!this.#hooks.acknowledged(uint16(buffer, bodyStart))) this.#output.write(packet);
        return;
      case PacketType.suback:
        this.#suback(packet, bodyStart - start);
        return;
      default:
        this.#output.write(packet);
    }
  }

  #connack(code: number): void {
    const isAccepted = code === ConnectReturn.accepted;
    this.#output.write(encodeConnack(code, isAccepted && this.#hooks.sessionPresent()));
    if (isAccepted) this.#hooks.accepted();
  }

  #suback(packet: Uint8Array, bodyOffset: number): void {
    const packetId = uint16(packet, bodyOffset);
    const codes = this.#hooks.suback(packetId, packet.subarray(bodyOffset + 2));
    this.#output.write(encodeSuback(packetId, codes));
    this.#hooks.subackWritten(packetId);
  }
}
