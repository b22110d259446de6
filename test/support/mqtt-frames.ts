/** Hand-made MQTT packets, so that tests can send what no client library would. */

export interface ConnectOptions {
  readonly clientId?: string;
  readonly clean?: boolean;
  readonly keepalive?: number;
  /** 4: MQTT 3.1.1. The high bit makes a bridge. */
  readonly level?: number;
  readonly name?: string;
  readonly will?: { topic: string | Buffer; payload: string; qos?: number; retain?: boolean };
  readonly username?: string;
  readonly password?: string;
}

export function packet(header: number, body: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.of(header, ...length), body]);
}

export function field(bytes: string | Uint8Array): Buffer {
  const content = Buffer.from(bytes as string);
  return Buffer.concat([uint16(content.length), content]);
}

export function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

export function connect(options: ConnectOptions = {}): Buffer {
  const { clientId = 'tester', clean = true, keepalive = 0, level = 4, will } = options;
  const { username, password } = options;
  const name = options.name ?? ((level & 0x7f) === 3 ? 'MQIsdp' : 'MQTT');
  let flags = clean ? 2 : 0;
  const fields = [field(clientId)];
  if (will !== undefined) {
    flags |= 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0);
    fields.push(field(will.topic), field(will.payload));
  }
  if (username !== undefined) {
    flags |= 0x80;
    fields.push(field(username));
  }
  if (password !== undefined) {
    flags |= 0x40;
    fields.push(field(password));
  }
  const head = Buffer.concat([field(name), Buffer.of(level, flags), uint16(keepalive)]);
  return packet(0x10, Buffer.concat([head, ...fields]));
}

export interface PublishOptions {
  readonly qos?: number;
  readonly id?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
}

export function publish(
  topic: string | Uint8Array,
  payload: string | Uint8Array = '',
  options: PublishOptions = {},
): Buffer {
  const { qos = 0, id = 1, retain = false, dup = false } = options;
  const header = 0x30 | (qos << 1) | (retain ? 1 : 0) | (dup ? 8 : 0);
  const packetId = qos > 0 ? uint16(id) : Buffer.alloc(0);
  return packet(header, Buffer.concat([field(topic), packetId, Buffer.from(payload as string)]));
}

export function subscribe(id: number, ...filters: readonly (readonly [string, number])[]): Buffer {
  const fields = filters.flatMap(([filter, qos]) => [field(filter), Buffer.of(qos)]);
  return packet(0x82, Buffer.concat([uint16(id), ...fields]));
}

export function unsubscribe(id: number, ...filters: readonly string[]): Buffer {
  return packet(0xa2, Buffer.concat([uint16(id), ...filters.map((filter) => field(filter))]));
}

const ack = (header: number) => (id: number) => packet(header, uint16(id));
export const puback = ack(0x40);
export const pubrec = ack(0x50);
export const pubrel = ack(0x62);
export const pubcomp = ack(0x70);
export const PINGREQ = Buffer.of(0xc0, 0);
export const DISCONNECT = Buffer.of(0xe0, 0);

export type Received =
  | { readonly type: 'connack'; readonly session: boolean; readonly code: number }
  | {
      readonly type: 'publish';
      readonly topic: string;
      readonly payload: string;
      readonly bytes: Buffer;
      readonly qos: number;
      readonly retain: boolean;
      readonly id: number;
    }
  | Ack<'puback'>
  | Ack<'pubrec'>
  | Ack<'pubrel'>
  | Ack<'pubcomp'>
  | Ack<'unsuback'>
  | { readonly type: 'suback'; readonly id: number; readonly codes: readonly number[] }
  | { readonly type: 'pingresp' };

interface Ack<T extends string> {
  readonly type: T;
  readonly id: number;
}

const ACKS: Readonly<Record<number, 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback'>> = {
  4: 'puback',
  5: 'pubrec',
  6: 'pubrel',
  7: 'pubcomp',
  11: 'unsuback',
};

/** Cuts the first packet off what a server sent; undefined: not all of it is there. */
export function takePacket(bytes: Buffer): { packet: Received; rest: Buffer } | undefined {
  let length = 0;
  let position = 1;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[position];
    if (byte === undefined) return undefined;
    position += 1;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const end = position + length;
  if (bytes.length < end) return undefined;
  return {
    packet: read(bytes[0] as number, bytes.subarray(position, end)),
    rest: bytes.subarray(end),
  };
}

function read(header: number, body: Buffer): Received {
  const type = header >> 4;
  if (type === 2) return { type: 'connack', session: body[0] === 1, code: body[1] as number };
  if (type === 3) return readPublish(header, body);
  if (type === 9) return { type: 'suback', id: body.readUInt16BE(0), codes: [...body.subarray(2)] };
  if (type === 13) return { type: 'pingresp' };
  const name = ACKS[type];
  if (name === undefined) throw new Error(`the server sent a packet of type ${type}`);
  return { type: name, id: body.readUInt16BE(0) };
}

function readPublish(header: number, body: Buffer): Received {
  const qos = (header >> 1) & 3;
  const topicEnd = 2 + body.readUInt16BE(0);
  const bytes = body.subarray(qos > 0 ? topicEnd + 2 : topicEnd);
  return {
    type: 'publish',
    topic: body.subarray(2, topicEnd).toString(),
    payload: bytes.toString(),
    bytes,
    qos,
    retain: (header & 1) === 1,
    id: qos > 0 ? body.readUInt16BE(topicEnd) : 0,
  };
}
