import { raft } from '../../protos/index.ts';
import type { Entry, Message } from '../raft/types.ts';
import type { GroupMessage } from '../shard/outgoing-messages.ts';

/** Raft messages to and from their protobuf form (`protos/raft.proto`). */

const { MessageType } = raft;
type Wire = raft.RaftMessage;
type WireProperties = raft.RaftMessage.$Properties;

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

export function toWire({ group, message }: GroupMessage): WireProperties {
  return {
    group,
    fromReplica: message.from,
    toReplica: message.to,
    type: TYPE_OF_KIND[message.kind],
    term: message.term,
    ...fieldsOf(message),
  };
}

function fieldsOf(message: Message): WireProperties {
  switch (message.kind) {
    case 'pre-vote-request':
      return { index: message.lastIndex, logTerm: message.lastTerm };
    case 'vote-request': {
      const { lastIndex: index, lastTerm: logTerm, transfer } = message;
      return { index, logTerm, transfer };
    }
    case 'pre-vote-response':
    case 'vote-response':
      return { reject: message.reject };
    case 'append-request':
      return {
        index: message.previousIndex,
        logTerm: message.previousTerm,
        entries: message.entries as Entry[],
        commit: message.commit,
        releasedIndex: message.releasedIndex,
      };
    case 'append-response':
      return {
        reject: message.reject,
        index: message.index,
        rejectHintIndex: message.hintIndex,
        rejectHintTerm: message.hintTerm,
      };
    case 'heartbeat-request':
      return {
        commit: message.commit,
        releasedIndex: message.releasedIndex,
        context: message.context,
      };
    case 'heartbeat-response':
    case 'read-index-request':
      return { context: message.context };
    case 'read-index-response':
      return { context: message.context, index: message.index, reject: message.reject };
    case 'timeout-now':
      return {};
  }
}

/** `undefined` for a type that this version does not know. */
export function fromWire(wire: Wire): GroupMessage | undefined {
  const message = messageOf(wire);
  return message === undefined ? undefined : { group: wire.group, message };
}

/** Spelled out: V8 makes a dictionary, ten times as large, of `{ ...envelope, kind }`. */
function messageOf(wire: Wire): Message | undefined {
  const { fromReplica: from, toReplica: to, term } = wire;
  const { index, logTerm, commit, reject, context, releasedIndex, transfer } = wire;
  switch (wire.type) {
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
        transfer,
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
        entries: wire.entries.map((entry, i) => entryOf(entry, index + 1 + i)),
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
        hintIndex: wire.rejectHintIndex,
        hintTerm: wire.rejectHintTerm,
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

function entryOf(wire: raft.Entry, index: number): Entry {
  return { term: wire.term, index, kind: wire.kind, data: wire.data };
}
