import { field, readVariable, uint16, variable } from './fields.ts';

/** What an MQTT 5 packet can carry beside its fields (MQTT 5 §2.2.2.2). */
export interface Properties {
  readonly payloadFormat?: number;
  readonly messageExpiry?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: string;
  /** A client sends one; a PUBLISH of the server may carry several. */
  readonly subscriptionIds?: readonly number[];
  readonly sessionExpiry?: number;
  readonly assignedClientId?: string;
  readonly serverKeepAlive?: number;
  readonly authenticationMethod?: string;
  readonly authenticationData?: string;
  readonly requestProblemInformation?: number;
  readonly willDelay?: number;
  readonly requestResponseInformation?: number;
  readonly responseInformation?: string;
  readonly serverReference?: string;
  readonly reason?: string;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  readonly topicAlias?: number;
  readonly maximumQos?: number;
  readonly retainAvailable?: number;
  readonly user?: readonly (readonly [string, string])[];
  readonly maximumPacketBytes?: number;
  readonly wildcardsAvailable?: number;
  readonly subscriptionIdsAvailable?: number;
  readonly sharedAvailable?: number;
}

type Kind = 'byte' | 'uint16' | 'uint32' | 'variables' | 'text' | 'pairs';
type Table = Readonly<Record<keyof Properties, readonly [code: number, kind: Kind]>>;

const PROPERTIES: Table = {
  payloadFormat: [0x01, 'byte'],
  messageExpiry: [0x02, 'uint32'],
  contentType: [0x03, 'text'],
  responseTopic: [0x08, 'text'],
  correlationData: [0x09, 'text'],
  subscriptionIds: [0x0b, 'variables'],
  sessionExpiry: [0x11, 'uint32'],
  assignedClientId: [0x12, 'text'],
  serverKeepAlive: [0x13, 'uint16'],
  authenticationMethod: [0x15, 'text'],
  authenticationData: [0x16, 'text'],
  requestProblemInformation: [0x17, 'byte'],
  willDelay: [0x18, 'uint32'],
  requestResponseInformation: [0x19, 'byte'],
  responseInformation: [0x1a, 'text'],
  serverReference: [0x1c, 'text'],
  reason: [0x1f, 'text'],
  receiveMaximum: [0x21, 'uint16'],
  topicAliasMaximum: [0x22, 'uint16'],
  topicAlias: [0x23, 'uint16'],
  maximumQos: [0x24, 'byte'],
  retainAvailable: [0x25, 'byte'],
  user: [0x26, 'pairs'],
  maximumPacketBytes: [0x27, 'uint32'],
  wildcardsAvailable: [0x28, 'byte'],
  subscriptionIdsAvailable: [0x29, 'byte'],
  sharedAvailable: [0x2a, 'byte'],
};

/** In the order in which they stand, without the length in front. */
export function writeProperties(properties: Properties): Buffer {
  const parts = Object.entries(properties).flatMap(([name, value]) => {
    const [code, kind] = PROPERTIES[name as keyof Properties];
    return repeated(kind, value).flatMap((one) => [Buffer.of(code), write(kind, one)]);
  });
  return Buffer.concat(parts);
}

function repeated(kind: Kind, value: unknown): readonly unknown[] {
  return kind === 'variables' || kind === 'pairs' ? (value as readonly unknown[]) : [value];
}

function write(kind: Kind, value: unknown): Buffer {
  switch (kind) {
    case 'byte':
      return Buffer.of(value as number);
    case 'uint16':
      return uint16(value as number);
    case 'uint32':
      return Buffer.concat([uint16((value as number) >>> 16), uint16((value as number) & 0xffff)]);
    case 'variables':
      return variable(value as number);
    case 'text':
      return field(value as string);
    case 'pairs':
      return Buffer.concat((value as [string, string]).map(field));
  }
}

/** Reads them from a server's packet. Throws if they are none, or one is there twice that must not be. */
export function readProperties(bytes: Buffer): Properties {
  const found: Record<string, unknown> = {};
  let position = 0;
  while (position < bytes.length) {
    const code = bytes[position] as number;
    const entry = Object.entries(PROPERTIES).find(([, [known]]) => known === code);
    if (entry === undefined) throw new Error(`there is no property 0x${code.toString(16)}`);
    const [name, [, kind]] = entry;
    const { value, end } = read(kind, bytes, position + 1);
    if (kind === 'variables' || kind === 'pairs') {
      found[name] = [...((found[name] as unknown[] | undefined) ?? []), value];
    } else if (name in found) {
      throw new Error(`the server sent ${name} twice`);
    } else {
      found[name] = value;
    }
    position = end;
  }
  if (position !== bytes.length) throw new Error('the properties are longer than they say');
  return found;
}

function read(kind: Kind, bytes: Buffer, at: number): { value: unknown; end: number } {
  switch (kind) {
    case 'byte':
      return { value: bytes.readUInt8(at), end: at + 1 };
    case 'uint16':
      return { value: bytes.readUInt16BE(at), end: at + 2 };
    case 'uint32':
      return { value: bytes.readUInt32BE(at), end: at + 4 };
    case 'variables':
      return readVariable(bytes, at) as { value: number; end: number };
    case 'text':
      return readText(bytes, at);
    case 'pairs': {
      const name = readText(bytes, at);
      const value = readText(bytes, name.end);
      return { value: [name.value, value.value], end: value.end };
    }
  }
}

function readText(bytes: Buffer, at: number): { value: string; end: number } {
  const end = at + 2 + bytes.readUInt16BE(at);
  return { value: bytes.subarray(at + 2, end).toString(), end };
}
