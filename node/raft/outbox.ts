import type { Fetch, Message, RaftEvent, ReadState, SnapshotNeeded } from './types.ts';

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

  drain(): Pick<
    Outbox,
    'messages' | 'messagesAfterPersist' | 'reads' | 'fetches' | 'snapshots' | 'events'
  > {
    const { messages, messagesAfterPersist, reads, fetches, snapshots, events } = this;
    this.messages = [];
    this.messagesAfterPersist = [];
    this.reads = [];
    this.fetches = [];
    this.snapshots = [];
    this.events = [];
    return { messages, messagesAfterPersist, reads, fetches, snapshots, events };
  }
}
