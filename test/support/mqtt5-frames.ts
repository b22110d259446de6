import { field, packet, uint16 } from './mqtt-frames.ts';

/** Hand-made MQTT 5 packets: written from the specification, not with the code under test. */

/** Properties by their identifiers, as they are to stand in the packet. */
export type Props = readonly Buffer[];

export const byte = (id: number, value: number) => Buffer.of(id, value);
export const short = (id: number, value: number) => Buffer.concat([Buffer.of(id), uint16(value)]);
export const long = (id: number, value: number) =>
  Buffer.concat([Buffer.of(id), uint16(Math.floor(value / 0x10000)), uint16(value % 0x10000)]);
export const text = (id: number, value: string | Uint8Array) =>
  Buffer.concat([Buffer.of(id), field(value)]);
export const user = (name: string, value: string) =>
  Buffer.concat([Buffer.of(0x26), field(name), field(value)]);

export function block(props: Props = []): Buffer {
  const bytes = Buffer.concat(props);
  return Buffer.concat([packet(0, bytes).subarray(1)]);
}

export interface Connect5Options {
  readonly clientId?: string;
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly props?: Props;
  readonly will?: {
    topic: string;
    payload: string | Uint8Array;
    qos?: number;
    retain?: boolean;
    props?: Props;
  };
  readonly username?: string;
  readonly password?: string;
}

export function connect5(options: Connect5Options = {}): Buffer {
  const { clientId = 'tester', clean = true, keepalive = 0, props, will } = options;
  let flags = clean ? 2 : 0;
  const fields = [field(clientId)];
  if (will !== undefined) {
    flags |= 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0);
    fields.push(block(will.props), field(will.topic), field(will.payload));
  }
  if (options.username !== undefined) {
    flags |= 0x80;
    fields.push(field(options.username));
  }
  if (options.password !== undefined) {
    flags |= 0x40;
    fields.push(field(options.password));
  }
  const head = Buffer.concat([field('MQTT'), Buffer.of(5, flags), uint16(keepalive)]);
  return packet(0x10, Buffer.concat([head, block(props), ...fields]));
}

export function publish5(
  topic: string | Uint8Array,
  payload: string | Uint8Array = '',
  options: { qos?: number; id?: number; retain?: boolean; dup?: boolean; props?: Props } = {},
): Buffer {
  const { qos = 0, id = 1, retain = false, dup = false, props } = options;
  const header = 0x30 | (qos << 1) | (retain ? 1 : 0) | (dup ? 8 : 0);
  const packetId = qos > 0 ? uint16(id) : Buffer.alloc(0);
  const content = Buffer.from(payload as string);
  return packet(header, Buffer.concat([field(topic), packetId, block(props), content]));
}

/** The second of each pair is the byte of options. */
export function subscribe5(
  id: number,
  filters: readonly (readonly [string, number])[],
  props?: Props,
): Buffer {
  const fields = filters.flatMap(([filter, options]) => [field(filter), Buffer.of(options)]);
  return packet(0x82, Buffer.concat([uint16(id), block(props), ...fields]));
}

export function unsubscribe5(id: number, ...filters: readonly string[]): Buffer {
  const fields = filters.map((filter) => field(filter));
  return packet(0xa2, Buffer.concat([uint16(id), block(), ...fields]));
}

/** `header` is the packet's first byte. */
export function ack5(header: number, id: number, code: number, props?: Props): Buffer {
  return packet(header, Buffer.concat([uint16(id), Buffer.of(code), block(props)]));
}

export function disconnect5(code = 0, props?: Props): Buffer {
  return packet(0xe0, Buffer.concat([Buffer.of(code), block(props)]));
}

export interface Read {
  readonly [id: number]: number | string | Buffer | undefined;
  readonly user: readonly (readonly [string, string])[];
  readonly ids: readonly number[];
}

export type Received5 =
  | {
      readonly type: 'connack';
      readonly session: boolean;
      readonly code: number;
      readonly props: Read;
    }
  | {
      readonly type: 'publish';
      readonly topic: string;
      readonly payload: string;
      readonly bytes: Buffer;
      readonly qos: number;
      readonly retain: boolean;
      readonly id: number;
      readonly props: Read;
    }
  | Ack<'puback'>
  | Ack<'pubrec'>
  | Ack<'pubrel'>
  | Ack<'pubcomp'>
  | Codes<'suback'>
  | Codes<'unsuback'>
  | { readonly type: 'disconnect'; readonly code: number; readonly props: Read }
  | { readonly type: 'pingresp' };

interface Ack<T extends string> {
  readonly type: T;
  readonly id: number;
  readonly code: number;
  readonly reason?: string;
}

interface Codes<T extends string> {
  readonly type: T;
  readonly id: number;
  readonly codes: readonly number[];
  readonly reason?: string;
}

/** Cuts the first packet off what a server sent; undefined: not all of it is there. */
export function takePacket5(bytes: Buffer): { packet: Received5; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const [length, start] = variable(bytes, 1);
  if (Number.isNaN(length) || bytes.length < start + length) return undefined;
  const body = bytes.subarray(start, start + length);
  return { packet: read(bytes[0] as number, body), rest: bytes.subarray(start + length) };
}

function variable(bytes: Buffer, start: number): [value: number, end: number] {
  let value = 0;
  let position = start;
  for (let shift = 0; ; shift += 7) {
    const next = bytes[position];
    if (next === undefined) return [Number.NaN, position];
    position += 1;
    value |= (next & 0x7f) << shift;
    if (next < 0x80) return [value, position];
  }
}

const ACKS = { 4: 'puback', 5: 'pubrec', 6: 'pubrel', 7: 'pubcomp' } as const;

function read(header: number, body: Buffer): Received5 {
  const type = header >> 4;
  if (type === 13) return { type: 'pingresp' };
  if (type === 2) {
    const [props] = readProps(body, 2);
    return { type: 'connack', session: body[0] === 1, code: body[1] as number, props };
  }
  if (type === 14) {
    const props = body.length > 1 ? readProps(body, 1)[0] : { user: [], ids: [] };
    return { type: 'disconnect', code: body[0] ?? 0, props };
  }
  if (type === 3) return readPublish(header, body);
  const id = body.readUInt16BE(0);
  if (type === 9 || type === 11) {
    const [props, end] = readProps(body, 2);
    const name = type === 9 ? 'suback' : 'unsuback';
    return { type: name, id, codes: [...body.subarray(end)], ...reasonOf(props) };
  }
  if (!(type in ACKS)) throw new Error(`the server sent a packet of type ${type}`);
  const reason = body.length > 3 ? reasonOf(readProps(body, 3)[0]) : {};
  return { type: ACKS[type as keyof typeof ACKS], id, code: body[2] ?? 0, ...reason };
}

function reasonOf(props: Read): { reason?: string } {
  return props[0x1f] === undefined ? {} : { reason: String(props[0x1f]) };
}

function readPublish(header: number, body: Buffer): Received5 {
  const qos = (header >> 1) & 3;
  const topicEnd = 2 + body.readUInt16BE(0);
  const [props, end] = readProps(body, qos > 0 ? topicEnd + 2 : topicEnd);
  const bytes = body.subarray(end);
  return {
    type: 'publish',
    topic: body.subarray(2, topicEnd).toString(),
    payload: bytes.toString(),
    bytes,
    qos,
    retain: (header & 1) === 1,
    id: qos > 0 ? body.readUInt16BE(topicEnd) : 0,
    props,
  };
}

const BYTES = [0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a];
const SHORTS = [0x13, 0x21, 0x22, 0x23];
const LONGS = [0x02, 0x11, 0x18, 0x27];

function readProps(body: Buffer, start: number): [Read, end: number] {
  const [length, first] = variable(body, start);
  const end = first + length;
  const found: Record<number, number | string | Buffer> = {};
  const pairs: [string, string][] = [];
  const ids: number[] = [];
  let position = first;
  const field = () => {
    const size = body.readUInt16BE(position);
    position += 2 + size;
    return body.subarray(position - size, position);
  };
  while (position < end) {
    const id = body[position++] as number;
    if (BYTES.includes(id)) {
      found[id] = body[position++] as number;
    } else if (SHORTS.includes(id)) {
      found[id] = body.readUInt16BE(position);
      position += 2;
    } else if (LONGS.includes(id)) {
      found[id] = body.readUInt32BE(position);
      position += 4;
    } else if (id === 0x0b) {
      const [value, after] = variable(body, position);
      ids.push(value);
      position = after;
    } else if (id === 0x26) {
      pairs.push([field().toString(), field().toString()]);
    } else {
      found[id] = id === 0x09 ? Buffer.from(field()) : field().toString();
    }
  }
  return [{ ...found, user: pairs, ids }, end];
}
