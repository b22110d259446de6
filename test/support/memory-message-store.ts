import type { Message } from '../../broker/ordinary/message.ts';
import type {
  MessageStore,
  QueuedMessage,
  SessionRecord,
  StoreEvents,
} from '../../broker/ordinary/store.ts';
import { TopicTree } from '../../broker/ordinary/topic-tree.ts';

/** What outlives a node, in a test: several brokers of it may share one. */
export class MemoryMessageStore implements MessageStore {
  known: Promise<void> = Promise.resolve();
  /** What is queued is stored with this. */
  storing: Promise<void> = Promise.resolve();
  readonly state = 'memory';
  dropped = 0;
  readonly #retained = new Map<string, Message>();
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #queues = new Map<string, Map<string, QueuedMessage>>();
  readonly #listeners: StoreEvents[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  /** For one more broker. */
  join(events: StoreEvents): this {
    this.#listeners.push(events);
    return this;
  }

  retained(filter: string, visit: (message: Message) => void): void {
    const tree = new TopicTree<true>();
    tree.add(filter, true);
    for (const message of this.#retained.values()) {
      tree.match(message.topic, () => visit(message));
    }
  }

  get retainedCount(): number {
    return this.#retained.size;
  }

  retainedAt(topic: string): Message | undefined {
    return this.#retained.get(topic);
  }

  retain(message: Message): void {
    if (message.payload.length === 0) this.#retained.delete(message.topic);
    else this.#retained.set(message.topic, message);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  sessions(): Iterable<SessionRecord> {
    return this.#sessions.values();
  }

  session(clientId: string): SessionRecord | undefined {
    const record = this.#sessions.get(clientId);
    const isOver =
      record?.host === undefined &&
      record !== undefined &&
      record.awaySinceMs + record.expirySeconds * 1_000 <= this.#nowMs();
    return isOver ? undefined : record;
  }

  mayHaveSession(clientId: string): boolean {
    return this.#sessions.has(clientId);
  }

  async loadSession(clientId: string): Promise<SessionRecord | undefined> {
    return this.session(clientId);
  }

  async saveSession(record: SessionRecord): Promise<void> {
    const { clientId } = record;
    const before = this.#sessions.get(clientId);
    this.#sessions.set(clientId, record);
    for (const each of this.#listeners) each.sessionChanged(clientId, record, before);
  }

  willIsLeft(clientId: string): void {
    const record = this.#sessions.get(clientId);
    if (record !== undefined) void this.saveSession({ ...record, will: undefined });
  }

  endSession(clientId: string): void {
    const before = this.#sessions.get(clientId);
    this.#sessions.delete(clientId);
    this.#queues.delete(clientId);
    for (const each of this.#listeners) each.sessionChanged(clientId, undefined, before);
  }

  enqueue(clientId: string, queued: QueuedMessage): boolean {
    const queue = this.#queues.get(clientId) ?? new Map<string, QueuedMessage>();
    this.#queues.set(clientId, queue);
    queue.set(queued.message.id, queued);
    return true;
  }

  queueStored(): Promise<void> {
    return this.storing;
  }

  async queued(clientId: string): Promise<readonly QueuedMessage[]> {
    return [...(this.#queues.get(clientId)?.values() ?? [])];
  }

  async close(): Promise<void> {}

  dequeue(clientId: string, id: string): void {
    this.#queues.get(clientId)?.delete(id);
  }
}
