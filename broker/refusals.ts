import type { Access } from './access.ts';
import type { BrokerEnv } from './env.ts';
import { RareWarning } from './rare-warning.ts';

/** Stable codes of what a PUBLISH, SUBSCRIBE or CONNECT is refused for (`docs/ERRORS.md`). */
export const REFUSAL_CODES = [
  'UNKNOWN_VERB',
  'NOT_SUPPORTED',
  'RESERVED_TOPIC',
  'INVALID_KEY',
  'INVALID_TOPIC',
  'VALUE_TOO_LARGE',
  'MALFORMED_JSON',
  'MALFORMED_PROTOBUF',
  'MALFORMED_TEXT',
  'INVALID_REQUEST',
  'INVALID_FILTER',
  'NOT_ALLOWED',
  'STORAGE_FULL',
  'TOO_MANY_REFUSALS',
  'TOO_MANY_WATCHES',
  'TOO_MANY_SUBSCRIPTIONS',
  'TOO_MANY_PUBLISHES',
  'TOO_MANY_CONNECTIONS',
  'TOO_MANY_CONNECTS',
  'TOO_MANY_SESSIONS',
  'BAD_CREDENTIALS',
  'TOO_MANY_LOGINS',
  'CLIENT_ID_TAKEN',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export function isRefusalCode(code: string): code is RefusalCode {
  return (REFUSAL_CODES as readonly string[]).includes(code);
}

export interface Refusal {
  readonly code: RefusalCode;
  /** What was wrong and what is allowed. */
  readonly message: string;
  /** The topic, or the filter; a put that fails later does not know its own any more. */
  readonly topic?: string;
  /** What the request called itself. */
  readonly id?: string | number;
}

export interface RefusedClient {
  readonly clientId: string;
  readonly address: string;
  /** Once it is known who it is. */
  readonly access?: Pick<Access, 'user'> | undefined;
}

export type RefusedPacket = 'PUBLISH' | 'SUBSCRIBE' | 'CONNECT' | 'request';

/** As `dss/sys/refused/<node>` and `/v1/refusals` show it. */
export interface RecentRefusal extends Omit<Refusal, 'id'> {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Its id; empty: it has none. */
  readonly client: string;
  readonly address: string;
  readonly user?: string;
}

const RECENT_MAX = 100;
const TOPIC_CHARACTERS_MAX = 256;
const PERIOD_MS = 1_000;

/**
 * What was refused lately on this node, for `dss/sys/refused/<node>`, one warning a second at most, and
 * counters. A device that is refused again and again costs no more than one that is refused once.
 */
export class Refusals {
  readonly #env: BrokerEnv;
  readonly #publish: (recent: readonly RecentRefusal[]) => void;
  readonly #counts = new Map<RefusalCode, number>();
  readonly #recent: RecentRefusal[] = [];
  readonly #warning: RareWarning;
  #publishedAtMs = Number.NEGATIVE_INFINITY;
  #cancelPublish: (() => void) | undefined;

  constructor(env: BrokerEnv, publish: (recent: readonly RecentRefusal[]) => void) {
    this.#env = env;
    this.#publish = publish;
    this.#warning = new RareWarning(env, PERIOD_MS);
  }

  report(refusal: Refusal, client: RefusedClient, packet: RefusedPacket): void {
    const { code, message, topic } = refusal;
    const { clientId, address, access } = client;
    const { user = '' } = access ?? {};
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const where = topic === undefined ? {} : { topic: shorten(topic) };
    const who = { client: clientId, address, ...(user === '' ? {} : { user }) };
    const entry = { code, message, ...where, ...who };
    this.#recent.push({ time: this.#env.clock.nowMs(), ...entry });
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    this.#warn(packet, entry);
    this.#publishSoon();
  }

  /** Oldest first. */
  get recent(): readonly RecentRefusal[] {
    return this.#recent;
  }

  counts(): Readonly<Partial<Record<RefusalCode, number>>> {
    return Object.fromEntries(this.#counts);
  }

  close(): void {
    this.#cancelPublish?.();
    this.#cancelPublish = undefined;
  }

  #warn(
    packet: RefusedPacket,
    data: Readonly<Refusal & { client: string; address: string }>,
  ): void {
    this.#warning.warn((alsoRefused) => ({
      name: `${packet.toLowerCase()}-refused`,
      message: `refused a ${packet}${data.topic === undefined ? '' : ` to ${data.topic}`}: ${data.message}`,
      data: { ...data, alsoRefused },
    }));
  }

  #publishSoon(): void {
    if (this.#cancelPublish !== undefined) return;
    const sinceMs = this.#env.clock.monotonicMs() - this.#publishedAtMs;
    this.#cancelPublish = this.#env.timers.after(Math.max(0, PERIOD_MS - sinceMs), () => {
      this.#cancelPublish = undefined;
      this.#publishedAtMs = this.#env.clock.monotonicMs();
      this.#publish(this.#recent);
    });
  }
}

export function shorten(topic: string): string {
  if (topic.length <= TOPIC_CHARACTERS_MAX) return topic;
  return `${topic.slice(0, TOPIC_CHARACTERS_MAX)}… (${topic.length} characters)`;
}

export function storageFull(where: {
  readonly topic?: string;
  readonly id?: string | number;
}): Refusal {
  const message = 'the storage of the cluster is full; deletes are still taken';
  return { code: 'STORAGE_FULL', message, ...where };
}
