import { readVariable } from './fields.ts';
import { PacketType, type Version } from './packets.ts';
import { type Properties, readProperties } from './properties.ts';

export type TypeName = keyof typeof PacketType;

/** A packet of the server. What its type does not have is empty, 0 or false. */
export interface Received {
  readonly type: TypeName;
  /** The first byte: type and flags. */
  readonly header: number;
  readonly bytes: Buffer;
  readonly id: number;
  /** Return or reason codes, as many as there are; an acknowledgement without one has [0]. */
  readonly codes: readonly number[];
  readonly sessionPresent: boolean;
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties;
}

const EMPTY: Omit<Received, 'type' | 'header' | 'bytes'> = {
  id: 0,
  codes: [],
  sessionPresent: false,
  topic: '',
  payload: '',
  qos: 0,
  retain: false,
  dup: false,
  properties: {},
};

/** Cuts the first packet off the bytes; undefined: not all of it is there. Throws if it is none. */
export function takePacket(
  version: Version,
  bytes: Buffer,
): { packet: Received; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const length = readVariable(bytes, 1);
  if (length === undefined) return undefined;
  const end = length.end + length.value;
  if (bytes.length < end) return undefined;
  const header = bytes[0] as number;
  const names = Object.keys(PacketType) as TypeName[];
  const type = names.find((name) => PacketType[name] === header >> 4);
  if (type === undefined) throw new Error(`the server sent a packet of type ${header >> 4}`);
  const packet = {
    ...EMPTY,
    type,
    header,
    bytes: bytes.subarray(0, end),
    ...read(version, type, header, bytes.subarray(length.end, end)),
  };
  return { packet, rest: bytes.subarray(end) };
}

function read(version: Version, type: TypeName, header: number, body: Buffer): Partial<Received> {
  switch (type) {
    case 'connack':
      return { sessionPresent: body[0] === 1, ...readCodes(version, body, 1) };
    case 'publish':
      return readPublish(version, header, body);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { id: body.readUInt16BE(0), ...readCodes(version, body, 2) };
    case 'suback':
    case 'unsuback':
      return readGrants(version, body);
    case 'disconnect':
    case 'auth':
      return readCodes(version, body, 0);
    default:
      return {};
  }
}

/** One code, then properties in MQTT 5; either may be left out. */
function readCodes(version: Version, body: Buffer, at: number): Partial<Received> {
  const code = body[at] ?? 0;
  if (version === 4 || body.length <= at + 1) return { codes: [code] };
  const { properties, end } = readBlock(body, at + 1);
  if (end !== body.length) throw new Error('bytes behind the properties');
  return { codes: [code], properties };
}

function readGrants(version: Version, body: Buffer): Partial<Received> {
  const id = body.readUInt16BE(0);
  const { properties, end } = version === 4 ? { properties: {}, end: 2 } : readBlock(body, 2);
  return { id, properties, codes: [...body.subarray(end)] };
}

function readPublish(version: Version, header: number, body: Buffer): Partial<Received> {
  const qos = (header >> 1) & 3;
  const topicEnd = 2 + body.readUInt16BE(0);
  const idEnd = topicEnd + (qos > 0 ? 2 : 0);
  const { properties, end } =
    version === 4 ? { properties: {}, end: idEnd } : readBlock(body, idEnd);
  return {
    qos,
    retain: (header & 1) !== 0,
    dup: (header & 8) !== 0,
    topic: body.subarray(2, topicEnd).toString(),
    id: qos > 0 ? body.readUInt16BE(topicEnd) : 0,
    payload: body.subarray(end).toString(),
    properties,
  };
}

function readBlock(body: Buffer, at: number): { properties: Properties; end: number } {
  const length = readVariable(body, at);
  if (length === undefined) throw new Error('no property length');
  const end = length.end + length.value;
  return { properties: readProperties(body.subarray(length.end, end)), end };
}
