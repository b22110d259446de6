import type { ConnectPacket } from './connect-packet.ts';
import type { ConnectRefusal } from './connect-refusal.ts';
import type { BrokerContext } from './context.ts';
import { encodeConnack } from './frame-encoder.ts';
import { Mqtt5Reader } from './mqtt5/reader.ts';
import { ReceiveWindow } from './mqtt5/receive-window.ts';
import { encodeRefusal, Mqtt5Writer, receiveMaximum } from './mqtt5/writer.ts';
import type { Output } from './output.ts';
import type { PacketReader } from './packet-reader.ts';
import type { PacketWriter } from './packet-writer.ts';
import { PlainReader } from './plain-reader.ts';
import { PlainWriter } from './plain-writer.ts';

/** How one client speaks, for as long as it is connected. All that differs by the version of MQTT. */
export interface Dialect {
  readonly reader: PacketReader;
  readonly writer: PacketWriter;
}

/** `assignedClientId`: the one that we gave to a client without; else empty. */
export function dialectOf(
  { env, limits, frames }: Pick<BrokerContext, 'env' | 'limits' | 'frames'>,
  output: Output,
  connect: ConnectPacket,
  assignedClientId: string,
): Dialect {
  if (connect.protocolLevel < 5) {
    const options = {
      frames: frames.plain,
      inflightMax: limits.inflightDeliveriesMax,
      clock: env.clock,
    };
    return { reader: new PlainReader(), writer: new PlainWriter(output, options) };
  }
  const window = new ReceiveWindow(receiveMaximum(limits));
  const { clock } = env;
  const parts = { output, connect, assignedClientId, limits, clock, window };
  return {
    reader: new Mqtt5Reader(connect, window),
    writer: new Mqtt5Writer({ ...parts, frames: frames.mqtt5 }),
  };
}

/** The CONNACK for a CONNECT that opens nothing. */
export function refusedConnack(
  { protocolLevel, packetBytesMax }: Pick<ConnectPacket, 'protocolLevel' | 'packetBytesMax'>,
  refusal: ConnectRefusal,
): Uint8Array {
  if (protocolLevel !== 5) return encodeConnack(refusal.returnCode);
  return encodeRefusal(refusal, packetBytesMax);
}
