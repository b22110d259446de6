import assert from 'node:assert/strict';
import { raft } from '../../protos/index.ts';
import type { Entry, Message } from '../raft/types.ts';
import type { GroupMessage } from '../shard/outgoing-messages.ts';
import { lengthBytes, numberBytes, WireReader, WireType, WireWriter } from './wire.ts';

/** `RaftEnvelope` of raft.proto, to and from what the core speaks, without objects between them. */
export interface RaftEnvelope {
  readonly fromNode: string;
  readonly startCounter: number;
  readonly syncedRound: number;
  readonly messages: readonly GroupMessage[];
}

const { MessageType } = raft;
const FORMAT = 1;

const TYPE_OF_KIND: Readonly<Record<Message['kind'], raft.MessageType>> = {
  'pre-vote-request': MessageType.PRE_VOTE_REQUEST,
  'pre-vote-response': MessageType.PRE_VOTE_RESPONSE,
  'vote-request': MessageType.VOTE_REQUEST,
  'vote-response': MessageType.VOTE_RESPONSE,
  'append-request': MessageType.APPEND_REQUEST,
  'append-response': MessageType.APPEND_RESPONSE,
  'heartbeat-request': MessageType.HEARTBEAT_REQUEST,
  'heartbeat-response': MessageType.HEARTBEAT_RESPONSE,
  'read-index-request': MessageType.READ_INDEX_REQUEST,
  'read-index-response': MessageType.READ_INDEX_RESPONSE,
  'timeout-now': MessageType.TIMEOUT_NOW,
};

/** The fields of a `RaftMessage`, by their names there. */
interface Fields {
  type: number;
  term: number;
  index: number;
  logTerm: number;
  commit: number;
  reject: number;
  hintIndex: number;
  hintTerm: number;
  entries: readonly Entry[];
  context: number;
  releasedIndex: number;
  transfer: number;
}

const NO_ENTRIES: readonly Entry[] = [];

export function encodeEnvelope(envelope: RaftEnvelope): Uint8Array {
  const { fromNode, startCounter, syncedRound, messages } = envelope;
  let length = numberBytes(FORMAT) + lengthBytes(fromNode.length);
  length += numberBytes(startCounter) + numberBytes(syncedRound);
  const sizes: number[] = [];
  for (const item of messages) {
    const size = measure(item);
    sizes.push(size);
    length += lengthBytes(size);
  }
  const writer = new WireWriter(length);
  writer.number(1, FORMAT);
  writer.text(2, fromNode);
  writer.number(3, startCounter);
  writer.number(4, syncedRound);
  for (let i = 0; i < messages.length; i++) {
    writer.begin(5, sizes[i] as number);
    write(writer, messages[i] as GroupMessage);
  }
  assert.equal(writer.at, length, 'a message is as long as was measured');
  return writer.bytes;
}

function measure(item: GroupMessage): number {
  const fields = fieldsOf(item.message);
  const { from, to } = item.message;
  let size = numberBytes(item.group) + numberBytes(from) + numberBytes(to);
  size += numberBytes(fields.type) + numberBytes(fields.term) + numberBytes(fields.index);
  size += numberBytes(fields.logTerm) + numberBytes(fields.commit) + numberBytes(fields.reject);
  size += numberBytes(fields.hintIndex) + numberBytes(fields.hintTerm);
  for (const entry of fields.entries) size += lengthBytes(entryBytes(entry));
  size += numberBytes(fields.context) + numberBytes(fields.releasedIndex);
  return size + numberBytes(fields.transfer);
}

function entryBytes({ term, kind, data }: Entry): number {
  return numberBytes(term) + numberBytes(kind) + (data.length === 0 ? 0 : lengthBytes(data.length));
}

function write(writer: WireWriter, { group, message }: GroupMessage): void {
  const fields = fieldsOf(message);
  writer.number(1, group);
  writer.number(2, message.from);
  writer.number(3, message.to);
  writer.number(4, fields.type);
  writer.number(5, fields.term);
  writer.number(6, fields.index);
  writer.number(7, fields.logTerm);
  writer.number(8, fields.commit);
  writer.number(9, fields.reject);
  writer.number(10, fields.hintIndex);
  writer.number(11, fields.hintTerm);
  for (const entry of fields.entries) {
    writer.begin(12, entryBytes(entry));
    writer.number(1, entry.term);
    writer.number(2, entry.kind);
    if (entry.data.length > 0) writer.copy(3, entry.data);
  }
  writer.number(13, fields.context);
  writer.number(14, fields.releasedIndex);
  writer.number(15, fields.transfer);
}

/** One for all messages: it is read before the next is looked at. */
const scratch: Fields = emptyFields();

function emptyFields(): Fields {
  return {
    type: 0,
    term: 0,
    index: 0,
    logTerm: 0,
    commit: 0,
    reject: 0,
    hintIndex: 0,
    hintTerm: 0,
    entries: NO_ENTRIES,
    context: 0,
    releasedIndex: 0,
    transfer: 0,
  };
}

function cleared(): Fields {
  scratch.index = scratch.logTerm = scratch.commit = scratch.reject = 0;
  scratch.hintIndex = scratch.hintTerm = scratch.context = scratch.releasedIndex = 0;
  scratch.type = scratch.term = scratch.transfer = 0;
  scratch.entries = NO_ENTRIES;
  return scratch;
}

function fieldsOf(message: Message): Fields {
  const fields = cleared();
  fields.type = TYPE_OF_KIND[message.kind];
  fields.term = message.term;
  switch (message.kind) {
    case 'vote-request':
      fields.transfer = message.transfer ? 1 : 0;
      fields.index = message.lastIndex;
      fields.logTerm = message.lastTerm;
      break;
    case 'pre-vote-request':
      fields.index = message.lastIndex;
      fields.logTerm = message.lastTerm;
      break;
    case 'pre-vote-response':
    case 'vote-response':
      fields.reject = message.reject ? 1 : 0;
      break;
    case 'append-request':
      fields.index = message.previousIndex;
      fields.logTerm = message.previousTerm;
      fields.entries = message.entries;
      fields.commit = message.commit;
      fields.releasedIndex = message.releasedIndex;
      break;
    case 'append-response':
      fields.reject = message.reject ? 1 : 0;
      fields.index = message.index;
      fields.hintIndex = message.hintIndex;
      fields.hintTerm = message.hintTerm;
      break;
    case 'heartbeat-request':
      fields.commit = message.commit;
      fields.releasedIndex = message.releasedIndex;
      fields.context = message.context;
      break;
    case 'heartbeat-response':
    case 'read-index-request':
      fields.context = message.context;
      break;
    case 'read-index-response':
      fields.context = message.context;
      fields.index = message.index;
      fields.reject = message.reject ? 1 : 0;
      break;
    case 'timeout-now':
      break;
  }
  return fields;
}

/**
 * Messages of a kind that this version does not know are left out. Entries' data are views into `bytes`.
 *
 * @throws {ProtocolError} when the bytes are no such message.
 */
export function decodeEnvelope(bytes: Uint8Array): RaftEnvelope {
  const reader = new WireReader(bytes);
  let fromNode = '';
  let startCounter = 0;
  let syncedRound = 0;
  const messages: GroupMessage[] = [];
  while (reader.at < reader.end) {
    const tag = reader.varint();
    switch (tag) {
      case tagOf(2, WireType.bytes):
        fromNode = Buffer.from(reader.view()).toString('latin1');
        break;
      case tagOf(3, WireType.varint):
        startCounter = reader.varint();
        break;
      case tagOf(4, WireType.varint):
        syncedRound = reader.varint();
        break;
      case tagOf(5, WireType.bytes): {
        const message = readMessage(reader);
        if (message !== undefined) messages.push(message);
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  return { fromNode, startCounter, syncedRound, messages };
}

function tagOf(field: number, type: number): number {
  return field * 8 + type;
}

function readMessage(reader: WireReader): GroupMessage | undefined {
  const length = reader.length();
  const outerEnd = reader.end;
  reader.end = reader.at + length;
  const fields = cleared();
  let group = 0;
  let from = 0;
  let to = 0;
  let entries: UnplacedEntry[] | undefined;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === tagOf(12, WireType.bytes)) {
      entries ??= [];
      entries.push(readEntry(reader));
      continue;
    }
    if (tag % 8 !== WireType.varint) {
      reader.skip(tag);
      continue;
    }
    const value = reader.varint();
    switch (tag >>> 3) {
      case 1:
        group = value;
        break;
      case 2:
        from = value;
        break;
      case 3:
        to = value;
        break;
      default:
        setField(fields, tag >>> 3, value);
    }
  }
  reader.end = outerEnd;
  const message = messageOf(from, to, fields, entries);
  return message === undefined ? undefined : { group, message };
}

function setField(fields: Fields, field: number, value: number): void {
  switch (field) {
    case 4:
      fields.type = value;
      break;
    case 5:
      fields.term = value;
      break;
    case 6:
      fields.index = value;
      break;
    case 7:
      fields.logTerm = value;
      break;
    case 8:
      fields.commit = value;
      break;
    case 9:
      fields.reject = value;
      break;
    case 10:
      fields.hintIndex = value;
      break;
    case 11:
      fields.hintTerm = value;
      break;
    case 13:
      fields.context = value;
      break;
    case 14:
      fields.releasedIndex = value;
      break;
    case 15:
      fields.transfer = value;
      break;
  }
}

/** Its index follows from the message's, which may come after it. */
type UnplacedEntry = { -readonly [Field in keyof Entry]: Entry[Field] };

function readEntry(reader: WireReader): UnplacedEntry {
  const length = reader.length();
  const outerEnd = reader.end;
  reader.end = reader.at + length;
  const entry: UnplacedEntry = { term: 0, index: 0, kind: 0, data: NOTHING };
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === tagOf(1, WireType.varint)) entry.term = reader.varint();
    else if (tag === tagOf(2, WireType.varint)) entry.kind = reader.varint();
    else if (tag === tagOf(3, WireType.bytes)) entry.data = reader.view();
    else reader.skip(tag);
  }
  reader.end = outerEnd;
  return entry;
}

const NOTHING = new Uint8Array(0);

/** Spelled out: V8 makes a dictionary, ten times as large, of `{ ...envelope, kind }`. */
function messageOf(
  from: number,
  to: number,
  fields: Fields,
  entries: UnplacedEntry[] | undefined,
): Message | undefined {
  const { term, index, logTerm, commit, context, releasedIndex } = fields;
  const reject = fields.reject !== 0;
  switch (fields.type) {
    case MessageType.PRE_VOTE_REQUEST:
      return { from, to, term, kind: 'pre-vote-request', lastIndex: index, lastTerm: logTerm };
    case MessageType.VOTE_REQUEST:
      return {
        from,
        to,
        term,
        kind: 'vote-request',
        lastIndex: index,
        lastTerm: logTerm,
        transfer: fields.transfer !== 0,
      };
    case MessageType.PRE_VOTE_RESPONSE:
      return { from, to, term, kind: 'pre-vote-response', reject };
    case MessageType.VOTE_RESPONSE:
      return { from, to, term, kind: 'vote-response', reject };
    case MessageType.APPEND_REQUEST:
      return {
        from,
        to,
        term,
        kind: 'append-request',
        previousIndex: index,
        previousTerm: logTerm,
        entries: placed(entries, index),
        commit,
        releasedIndex,
      };
    case MessageType.APPEND_RESPONSE:
      return {
        from,
        to,
        term,
        kind: 'append-response',
        reject,
        index,
        hintIndex: fields.hintIndex,
        hintTerm: fields.hintTerm,
      };
    case MessageType.HEARTBEAT_REQUEST:
      return { from, to, term, kind: 'heartbeat-request', commit, releasedIndex, context };
    case MessageType.HEARTBEAT_RESPONSE:
      return { from, to, term, kind: 'heartbeat-response', context };
    case MessageType.READ_INDEX_REQUEST:
      return { from, to, term, kind: 'read-index-request', context };
    case MessageType.READ_INDEX_RESPONSE:
      return { from, to, term, kind: 'read-index-response', context, index, reject };
    case MessageType.TIMEOUT_NOW:
      return { from, to, term, kind: 'timeout-now' };
    default:
      return undefined;
  }
}

function placed(entries: UnplacedEntry[] | undefined, previousIndex: number): readonly Entry[] {
  if (entries === undefined) return NO_ENTRIES;
  for (let i = 0; i < entries.length; i++) {
    (entries[i] as UnplacedEntry).index = previousIndex + 1 + i;
  }
  return entries;
}
