import { type Entry, EntryKind, type Message, type Ready } from '../../node/raft/types.ts';
import { text } from '../support/text.ts';
import { describeConfiguration } from './configurations.ts';

/** How transcripts print things: entries and log positions as term/index. */

export function describeEntry({ term, index, kind, data }: Entry): string {
  return `${term}/${index} ${describeData(kind, data)}`;
}

function describeData(kind: number, data: Uint8Array): string {
  if (kind === EntryKind.empty) return '·';
  if (kind === EntryKind.configuration) return `[${describeConfiguration(data)}]`;
  return JSON.stringify(text(data));
}

function describeEntries(entries: readonly Entry[]): string {
  return entries.length === 0 ? 'none' : entries.map(describeEntry).join(', ');
}

export function describeMessage(message: Message): string {
  const { from, to, term, kind } = message;
  return `${from}→${to} ${kind} term ${term}${details(message)}`;
}

function details(message: Message): string {
  switch (message.kind) {
    case 'pre-vote-request':
      return `, log ends ${message.lastTerm}/${message.lastIndex}`;
    case 'vote-request': {
      const reason = message.transfer ? ', for the leader' : '';
      return `, log ends ${message.lastTerm}/${message.lastIndex}${reason}`;
    }
    case 'pre-vote-response':
    case 'vote-response':
      return message.reject ? ', rejected' : ', granted';
    case 'append-request': {
      const { previousTerm, previousIndex, commit, releasedIndex, entries } = message;
      const released = releasedIndex > 0 ? ` released ${releasedIndex}` : '';
      const after = `after ${previousTerm}/${previousIndex}`;
      return `, ${after} commit ${commit}${released}: ${describeEntries(entries)}`;
    }
    case 'append-response':
      if (!message.reject) return `, has up to ${message.index}`;
      return `, rejects ${message.index}, try ${message.hintTerm}/${message.hintIndex}`;
    case 'heartbeat-request': {
      const released = message.releasedIndex > 0 ? ` released ${message.releasedIndex}` : '';
      return `, commit ${message.commit}${released} read ${message.context}`;
    }
    case 'heartbeat-response':
      return `, read ${message.context}`;
    case 'read-index-request':
      return `, question ${message.context}`;
    case 'read-index-response':
      return `, question ${message.context}: ${message.reject ? 'rejected' : message.index}`;
    case 'timeout-now':
      return '';
  }
}

export function describeReady(ready: Ready): string {
  const { hardState, fetchCommitted } = ready;
  const lines: string[] = [];
  for (const event of ready.events) {
    if (event.kind === 'role-changed') lines.push(`becomes ${event.role} in term ${event.term}`);
    else lines.push(`leader of term ${event.term}: ${event.leader || 'unknown'}`);
  }
  for (const message of ready.messages) lines.push(`send ${describeMessage(message)}`);
  if (hardState !== undefined) {
    const { term, vote, commit } = hardState;
    lines.push(`persist term ${term} vote ${vote} commit ${commit}`);
  }
  if (ready.entries.length > 0) lines.push(`persist ${describeEntries(ready.entries)}`);
  if (ready.configurations !== undefined) {
    const each = ready.configurations.map(
      ({ index, term, data }) => `${term}/${index} [${describeConfiguration(data)}]`,
    );
    lines.push(`persist configurations ${each.join(', ')}`);
  }
  for (const message of ready.messagesAfterPersist) {
    lines.push(`then send ${describeMessage(message)}`);
  }
  if (ready.committed.length > 0) lines.push(`apply ${describeEntries(ready.committed)}`);
  if (fetchCommitted !== undefined) {
    lines.push(`apply from log ${fetchCommitted.firstIndex} to ${fetchCommitted.lastIndex}`);
  }
  for (const { token, index } of ready.reads) {
    lines.push(`read ${token} ${index === undefined ? 'refused' : `at ${index}`}`);
  }
  for (const { to, firstIndex, lastIndex } of ready.fetches) {
    lines.push(`fetch ${firstIndex} to ${lastIndex} for ${to}`);
  }
  for (const { to } of ready.snapshots) lines.push(`needs snapshot: ${to}`);
  return lines.length === 0 ? 'nothing' : lines.join('\n');
}
