import type { Fetch, Message, RaftEvent, ReadState, Ready, SnapshotNeeded } from './types.ts';

/** What has come up since the last Ready, beside the log. */
export class Outbox {
  messages: Message[] = [];
  messagesAfterPersist: Message[] = [];
  reads: ReadState[] = [];
  fetches: Fetch[] = [];
  snapshots: SnapshotNeeded[] = [];
  events: RaftEvent[] = [];

  get isEmpty(): boolean {
    return (
      this.messages.length +
        this.messagesAfterPersist.length +
        this.reads.length +
        this.fetches.length +
        this.snapshots.length +
        this.events.length ===
      0
    );
  }

  /**
   * Votes and append-responses are promises, and vote requests are one's own vote made public: they wait for
   * the sync of everything that happened before them. All other messages promise nothing (Raft §5: servers
   * answer after updating stable storage; dissertation §10.2.1: a leader may write and send in parallel).
   */
  send(message: Message): void {
    switch (message.kind) {
      case 'vote-request':
      case 'vote-response':
      case 'append-response':
        this.messagesAfterPersist.push(message);
        return;
      case 'pre-vote-request':
      case 'pre-vote-response':
      case 'append-request':
      case 'heartbeat-request':
      case 'heartbeat-response':
      case 'read-index-request':
      case 'read-index-response':
      case 'timeout-now':
        this.messages.push(message);
    }
  }

  /** Takes everything. Most of it is nothing, many times a second for each group: that is one and the same array. */
  drain(): Drained {
    const { messages, messagesAfterPersist, reads, fetches, snapshots, events } = this;
    if (messages.length > 0) this.messages = [];
    if (messagesAfterPersist.length > 0) this.messagesAfterPersist = [];
    if (reads.length > 0) this.reads = [];
    if (fetches.length > 0) this.fetches = [];
    if (snapshots.length > 0) this.snapshots = [];
    if (events.length > 0) this.events = [];
    return {
      messages: orNothing(messages),
      messagesAfterPersist: orNothing(messagesAfterPersist),
      reads: orNothing(reads),
      fetches: orNothing(fetches),
      snapshots: orNothing(snapshots),
      events: orNothing(events),
    };
  }
}

type Drained = Pick<
  Ready,
  'messages' | 'messagesAfterPersist' | 'reads' | 'fetches' | 'snapshots' | 'events'
>;

/** What is nothing for every Ready. */
export const NOTHING: readonly never[] = Object.freeze([]);

function orNothing<T>(items: readonly T[]): readonly T[] {
  return items.length > 0 ? items : NOTHING;
}
