import { field, uint16, variable } from './fields.ts';
import { type Properties, writeProperties } from './properties.ts';

/**
 * Builds MQTT packets of both versions byte by byte, right and wrong ones alike. What the broker is made of must
 * not help here: a mistake that both ends share would not be seen.
 */

export type Version = 4 | 5;
export type Qos = 0 | 1 | 2;

export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

export const PINGREQ = Buffer.of(0xc0, 0);
export const DISCONNECT = Buffer.of(0xe0, 0);

/** A packet with any first byte; the parts make its body. */
export function packet(header: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(header), variable(body.length), body]);
}

export interface Will {
  readonly topic: string | Uint8Array;
  readonly payload?: string;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

export interface ConnectOptions {
  readonly version?: Version;
  /** A protocol level other than that of `version`. */
  readonly level?: number;
  readonly name?: string;
  readonly id?: string | Uint8Array;
  readonly clean?: boolean;
  readonly keepAliveSeconds?: number;
  readonly will?: Will | undefined;
  readonly user?: string | Uint8Array;
  readonly password?: string;
  readonly properties?: Properties | Uint8Array;
  /** Changes the flags that the other options make. */
  readonly flags?: (flags: number) => number;
}

export function connect(options: ConnectOptions = {}): Buffer {
  const { version = 4, name = 'MQTT', id = '', clean = true, will, user, password } = options;
  let flags = clean ? 2 : 0;
  const payload = [field(id)];
  if (will !== undefined) {
    flags |= 4 | ((will.qos ?? 0) << 3) | (will.retain ? 0x20 : 0);
    payload.push(propertiesOf(version, will.properties));
    payload.push(field(will.topic), field(will.payload ?? ''));
  }
  if (user !== undefined) {
    flags |= 0x80;
    payload.push(field(user));
  }
  if (password !== undefined) {
    flags |= 0x40;
    payload.push(field(password));
  }
  return packet(
    0x10,
    field(name),
    Buffer.of(options.level ?? version, options.flags?.(flags) ?? flags),
    uint16(options.keepAliveSeconds ?? 0),
    propertiesOf(version, options.properties),
    ...payload,
  );
}

export interface PublishOptions {
  readonly version?: Version;
  readonly qos?: number;
  readonly id?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly properties?: Properties | Uint8Array;
}

export function publish(
  topic: string | Uint8Array,
  payload: string | Uint8Array = '',
  options: PublishOptions = {},
): Buffer {
  const { version = 4, qos = 0, id = 1, retain = false, dup = false } = options;
  return packet(
    0x30 | (qos << 1) | (retain ? 1 : 0) | (dup ? 8 : 0),
    field(topic),
    qos > 0 ? uint16(id) : Buffer.alloc(0),
    propertiesOf(version, options.properties),
    Buffer.from(payload as string),
  );
}

/** Filters with their options byte: the QoS in 3.1.1. */
export type Filter = readonly [filter: string | Uint8Array, options: number];

export function subscribe(id: number, ...filters: readonly Filter[]): Buffer {
  return packet(0x82, uint16(id), ...filters.flatMap(([f, o]) => [field(f), Buffer.of(o)]));
}

export function subscribe5(
  id: number,
  properties: Properties | Uint8Array,
  ...filters: readonly Filter[]
): Buffer {
  const fields = filters.flatMap(([f, o]) => [field(f), Buffer.of(o)]);
  return packet(0x82, uint16(id), propertiesOf(5, properties), ...fields);
}

export function unsubscribe(id: number, ...filters: readonly (string | Uint8Array)[]): Buffer {
  return packet(0xa2, uint16(id), ...filters.map(field));
}

export function unsubscribe5(id: number, ...filters: readonly (string | Uint8Array)[]): Buffer {
  return packet(0xa2, uint16(id), Buffer.of(0), ...filters.map(field));
}

/** An acknowledgement; with a reason code as MQTT 5 has it. */
const acknowledgement = (header: number) => (id: number, reason?: number) =>
  packet(header, uint16(id), reason === undefined ? Buffer.alloc(0) : Buffer.of(reason));
export const puback = acknowledgement(0x40);
export const pubrec = acknowledgement(0x50);
export const pubrel = acknowledgement(0x62);
export const pubcomp = acknowledgement(0x70);

export function disconnect5(reason: number, properties: Properties = {}): Buffer {
  return packet(0xe0, Buffer.of(reason), propertiesOf(5, properties));
}

export function auth(reason: number, properties: Properties): Buffer {
  return packet(0xf0, Buffer.of(reason), propertiesOf(5, properties));
}

function propertiesOf(version: Version, properties: Properties | Uint8Array = {}): Buffer {
  if (version !== 5) return Buffer.alloc(0);
  const bytes = properties instanceof Uint8Array ? properties : writeProperties(properties);
  return Buffer.concat([variable(bytes.length), bytes]);
}
