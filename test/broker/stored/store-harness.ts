import type { BrokerEnv, BrokerEvent } from '../../../broker/env.ts';
import { type BrokerLimits, DEFAULT_LIMITS } from '../../../broker/limits.ts';
import type { Message } from '../../../broker/ordinary/message.ts';
import type { QueuedMessage, SessionRecord } from '../../../broker/ordinary/store.ts';
import { createMessageStore } from '../../../broker/stored/message-store.ts';
import { utf8 } from '../../node/support.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { ManualTime } from '../../support/manual-time.ts';
import { settled } from '../../support/settled.ts';

export const WALL_CLOCK_START_MS = Date.UTC(2026, 0, 1);

/** Time that a test moves. What is yielded happens when it moves, if only by nothing. */
export class BrokerWorld {
  readonly time = new ManualTime();
  readonly events: BrokerEvent[] = [];
  readonly env: BrokerEnv = {
    clock: {
      nowMs: () => WALL_CLOCK_START_MS + this.time.nowMs,
      monotonicMs: () => this.time.nowMs,
    },
    timers: this.time,
    random: { below: () => 0 },
    yield: (task) => void this.time.after(0, task),
    events: { emit: (event) => void this.events.push(event) },
  };

  async pass(ms = 0): Promise<void> {
    const endMs = this.time.nowMs + ms;
    for (;;) {
      await settled();
      this.time.advance(0);
      await settled();
      if (this.time.nowMs >= endMs) return;
      this.time.advance(Math.min(100, endMs - this.time.nowMs));
    }
  }
}

/** A store of one node, and what it has told. */
export function openStore(
  world = new BrokerWorld(),
  dataPlane = new FakeDataPlane(),
  limits: Partial<BrokerLimits> = {},
) {
  const changes: [string, SessionRecord | undefined][] = [];
  const readable: string[] = [];
  const store = createMessageStore({
    env: world.env,
    dataPlane,
    limits: { ...DEFAULT_LIMITS, ...limits },
    events: {
      sessionChanged: (clientId, record) => void changes.push([clientId, record]),
      queueReadable: (clientId) => void readable.push(clientId),
    },
  });
  return { world, dataPlane, store, changes, readable };
}

export function message(topic: string, payload: string, more: Partial<Message> = {}): Message {
  return {
    id: `n1-1-${topic}-${payload}`,
    topic,
    payload: utf8(payload),
    qos: 1,
    retain: false,
    properties: Buffer.alloc(0),
    expiresAtMs: undefined,
    from: 'publisher',
    ...more,
  };
}

export function queued(payload: string, more: Partial<Message> = {}): QueuedMessage {
  return {
    message: message('t', payload, more),
    qos: 1,
    retain: false,
    identifiers: [],
    packetId: 0,
    isReleased: false,
  };
}

/** A session that is away and never ends. */
export function session(clientId: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    clientId,
    user: 'anna',
    host: undefined,
    expirySeconds: Number.POSITIVE_INFINITY,
    awaySinceMs: WALL_CLOCK_START_MS,
    subscriptions: [],
    receivedIds: [],
    will: undefined,
    ...more,
  };
}

export function textsOf(messages: readonly QueuedMessage[]): string[] {
  return messages.map(({ message: { payload } }) => Buffer.from(payload).toString());
}

export function retainedTexts(
  store: { retained(filter: string, visit: (message: Message) => void): void },
  filter = '#',
): string[] {
  const found: string[] = [];
  store.retained(filter, ({ topic, payload }) => {
    found.push(`${topic}=${Buffer.from(payload).toString()}`);
  });
  return found.sort();
}
