import type { Message } from '../raft/types.ts';
import type { Replica } from './replica.ts';

/** One group's message on its way to or from another node. */
export interface GroupMessage {
  readonly group: number;
  readonly message: Message;
}

const MESSAGE_BYTES_MAX = 1024 * 1024;

/** What the groups of a node have to say in one turn, by the node that it is for. */
export class OutgoingMessages {
  #queues = new Map<string, GroupMessage[]>();

  post(replica: Replica, messages: readonly Message[]): void {
    for (const message of messages) {
      const node = replica.nodeOf(message.to);
      if (node === undefined) continue;
      const item = { group: replica.identity.group, message };
      const queue = this.#queues.get(node);
      if (queue === undefined) this.#queues.set(node, [item]);
      else queue.push(item);
    }
  }

  /** One message per node; beats and votes before appends, so that bulk never delays an election. */
  flush(send: (node: string, messages: readonly GroupMessage[]) => void): void {
    if (this.#queues.size === 0) return;
    const queues = this.#queues;
    this.#queues = new Map();
    for (const [node, messages] of queues) {
      const control = messages.filter(({ message }) => message.kind !== 'append-request');
      const appends = messages.filter(({ message }) => message.kind === 'append-request');
      for (const part of splitByBytes([...control, ...appends])) send(node, part);
    }
  }
}

/** Messages of at most 1 MiB, or one append. */
function* splitByBytes(messages: readonly GroupMessage[]): Generator<GroupMessage[]> {
  let part: GroupMessage[] = [];
  let partBytes = 0;
  for (const item of messages) {
    const bytes = messageBytes(item.message);
    if (part.length > 0 && partBytes + bytes > MESSAGE_BYTES_MAX) {
      yield part;
      part = [];
      partBytes = 0;
    }
    part.push(item);
    partBytes += bytes;
  }
  if (part.length > 0) yield part;
}

function messageBytes(message: Message): number {
  if (message.kind !== 'append-request') return 64;
  return message.entries.reduce((sum, entry) => sum + entry.data.length + 16, 64);
}
