import { FieldReader } from '../field-reader.ts';
import { type Ending, malformed, protocolError } from './reason-codes.ts';

/** The properties of one packet (MQTT 5 §2.2.2); what is not there is undefined. */
export interface Properties {
  readonly payloadFormat?: number;
  readonly messageExpirySeconds?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** A PUBLISH of a server may have several, any other packet one. */
  readonly subscriptionIdentifiers?: readonly number[];
  readonly sessionExpirySeconds?: number;
  readonly assignedClientIdentifier?: string;
  readonly serverKeepAliveSeconds?: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: Uint8Array;
  readonly requestProblemInformation?: number;
  readonly willDelaySeconds?: number;
  readonly requestResponseInformation?: number;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly reasonString?: string;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  readonly topicAlias?: number;
  readonly maximumQos?: number;
  readonly retainAvailable?: number;
  /** Any number of them, in their order. */
  readonly userProperties?: readonly UserProperty[];
  readonly maximumPacketBytes?: number;
  readonly wildcardSubscriptionAvailable?: number;
  readonly subscriptionIdentifierAvailable?: number;
  readonly sharedSubscriptionAvailable?: number;
}

export type UserProperty = readonly [name: string, value: string];

/** What has properties, as MQTT 5 table 2-4 names it. */
export type PropertyOwner =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'ack'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

type Name = keyof Properties;
/** `flag` is a byte that is 0 or 1; `positive…` must not be 0. */
type Type =
  | 'flag'
  | 'uint16'
  | 'positiveUint16'
  | 'uint32'
  | 'positiveUint32'
  | 'identifier'
  | 'text'
  | 'bytes'
  | 'pair';

interface Definition {
  readonly id: number;
  readonly name: Name;
  readonly type: Type;
  readonly owners: readonly PropertyOwner[];
}

/** MQTT 5 table 2-4. `ack` stands for PUBACK, PUBREC, PUBREL and PUBCOMP. */
const ROWS: readonly (readonly [number, Name, Type, string])[] = [
  [0x01, 'payloadFormat', 'flag', 'publish will'],
  [0x02, 'messageExpirySeconds', 'uint32', 'publish will'],
  [0x03, 'contentType', 'text', 'publish will'],
  [0x08, 'responseTopic', 'text', 'publish will'],
  [0x09, 'correlationData', 'bytes', 'publish will'],
  [0x0b, 'subscriptionIdentifiers', 'identifier', 'publish subscribe'],
  [0x11, 'sessionExpirySeconds', 'uint32', 'connect connack disconnect'],
  [0x12, 'assignedClientIdentifier', 'text', 'connack'],
  [0x13, 'serverKeepAliveSeconds', 'uint16', 'connack'],
  [0x15, 'authenticationMethod', 'text', 'connect connack auth'],
  [0x16, 'authenticationData', 'bytes', 'connect connack auth'],
  [0x17, 'requestProblemInformation', 'flag', 'connect'],
  [0x18, 'willDelaySeconds', 'uint32', 'will'],
  [0x19, 'requestResponseInformation', 'flag', 'connect'],
  [0x1a, 'responseInformation', 'text', 'connack'],
  [0x1c, 'serverReference', 'text', 'connack disconnect'],
  [0x1f, 'reasonString', 'text', 'connack ack suback unsuback disconnect auth'],
  [0x21, 'receiveMaximum', 'positiveUint16', 'connect connack'],
  [0x22, 'topicAliasMaximum', 'uint16', 'connect connack'],
  [0x23, 'topicAlias', 'uint16', 'publish'],
  [0x24, 'maximumQos', 'flag', 'connack'],
  [0x25, 'retainAvailable', 'flag', 'connack'],
  [
    0x26,
    'userProperties',
    'pair',
    'connect will connack publish ack subscribe suback unsubscribe unsuback disconnect auth',
  ],
  [0x27, 'maximumPacketBytes', 'positiveUint32', 'connect connack'],
  [0x28, 'wildcardSubscriptionAvailable', 'flag', 'connack'],
  [0x29, 'subscriptionIdentifierAvailable', 'flag', 'connack'],
  [0x2a, 'sharedSubscriptionAvailable', 'flag', 'connack'],
];

const DEFINITIONS: readonly Definition[] = ROWS.map(([id, name, type, owners]) => ({
  id,
  name,
  type,
  owners: owners.split(' ') as PropertyOwner[],
}));
const BY_ID: ReadonlyMap<number, Definition> = new Map(DEFINITIONS.map((row) => [row.id, row]));

interface Codec {
  /** Undefined: it is not there, or ill-formed. */
  read(reader: FieldReader): unknown;
  /** Whether a value that can be read may be there. */
  isAllowed(value: never): boolean;
  encode(value: never): readonly number[] | Uint8Array;
}

const always = () => true;
const isPositive = (value: number) => value > 0;

const CODECS: Readonly<Record<Type, Codec>> = {
  flag: {
    read: (reader) => reader.byte(),
    isAllowed: (value: number) => value <= 1,
    encode: (value: number) => [value],
  },
  uint16: { read: (reader) => reader.number(), isAllowed: always, encode: bytesOf(2) },
  positiveUint16: { read: (reader) => reader.number(), isAllowed: isPositive, encode: bytesOf(2) },
  uint32: { read: (reader) => reader.longNumber(), isAllowed: always, encode: bytesOf(4) },
  positiveUint32: {
    read: (reader) => reader.longNumber(),
    isAllowed: isPositive,
    encode: bytesOf(4),
  },
  identifier: {
    read: (reader) => reader.variableNumber(),
    isAllowed: isPositive,
    encode: encodeVariableNumber,
  },
  text: { read: (reader) => reader.text(), isAllowed: always, encode: encodeText },
  bytes: { read: (reader) => reader.bytes()?.slice(), isAllowed: always, encode: encodeBytes },
  pair: {
    read: (reader) => {
      const name = reader.text();
      const value = reader.text();
      return name === undefined || value === undefined ? undefined : [name, value];
    },
    isAllowed: always,
    encode: ([name, value]: UserProperty) => Buffer.concat([encodeText(name), encodeText(value)]),
  },
};

const NONE: Properties = {};

/**
 * Reads the properties that stand where `reader` is, their length first, and leaves it behind them. What is not
 * allowed ends the connection: malformed packets (0x81) and protocol errors (0x82).
 */
export function readProperties(
  reader: FieldReader,
  owner: PropertyOwner,
): { readonly properties: Properties } | Ending {
  const length = reader.variableNumber();
  if (length === 0) return { properties: NONE };
  const end = reader.position + (length ?? 0);
  if (length === undefined || end > reader.end) {
    return malformed('the properties are longer than their packet');
  }
  const within = reader.until(end);
  const properties: Record<string, unknown> = {};
  while (!within.atEnd) {
    const wrong = readProperty(within, owner, properties);
    if (wrong !== undefined) return wrong;
  }
  reader.position = end;
  return { properties };
}

function readProperty(
  reader: FieldReader,
  owner: PropertyOwner,
  into: Record<string, unknown>,
): Ending | undefined {
  const id = reader.variableNumber();
  const definition = id === undefined ? undefined : BY_ID.get(id);
  // MQTT 5 §2.2.2.2: an identifier that is not valid for its packet makes it malformed.
  if (!definition?.owners.includes(owner)) return malformed(`property ${id} is not allowed here`);
  const { name, type } = definition;
  const codec = CODECS[type];
  const value = codec.read(reader);
  if (value === undefined) return malformed(`the property ${name} is ill-formed`);
  if (!codec.isAllowed(value as never)) return protocolError(`the property ${name} is ${value}`);
  if (isList(name) && (name === 'userProperties' || owner === 'publish')) {
    const list = (into[name] ??= []) as unknown[];
    list.push(value);
  } else if (name in into) {
    return protocolError(`the property ${name} is there twice`);
  } else {
    into[name] = isList(name) ? [value] : value;
  }
  return undefined;
}

/** Properties as they stand in a packet, without their length. */
export function encodeProperties(properties: Properties): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { id, name, type } of DEFINITIONS) {
    const value = properties[name];
    if (value === undefined) continue;
    for (const each of isList(name) ? (value as readonly unknown[]) : [value]) {
      parts.push(Uint8Array.of(id), Uint8Array.from(CODECS[type].encode(each as never)));
    }
  }
  return parts.length === 0 ? NO_BYTES : Buffer.concat(parts);
}

/** As they were encoded, without their length; none if they cannot be read. */
export function decodeProperties(bytes: Uint8Array, owner: PropertyOwner): Properties {
  const block = withLength(bytes);
  const read = readProperties(new FieldReader(block, 0, block.length), owner);
  return 'properties' in read ? read.properties : NONE;
}

/** The same with their length before them. */
export function encodePropertyBlock(properties: Properties): Uint8Array {
  return withLength(encodeProperties(properties));
}

export function withLength(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from(encodeVariableNumber(bytes.length)), bytes]);
}

/** Variable byte integer (MQTT 5 §1.5.5). */
export function encodeVariableNumber(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

const NO_BYTES = new Uint8Array(0);

function isList(name: Name): boolean {
  return name === 'userProperties' || name === 'subscriptionIdentifiers';
}

function bytesOf(count: 2 | 4): (value: number) => readonly number[] {
  return (value) => {
    const bytes = [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
    return bytes.slice(4 - count);
  };
}

function encodeText(text: string): Uint8Array {
  return encodeBytes(Buffer.from(text));
}

function encodeBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}
