import type { Env } from '../env.ts';
import type {
  ConnectionOptions,
  ForeignBrokers,
  ForeignConnection,
  ForeignMessage,
} from './foreign-broker.ts';
import type { Link } from './link.ts';

/** What is done with one connection. */
export interface Session {
  connected(): void;
  message(message: ForeignMessage): void;
  /** Nothing can be sent any more; called once. */
  ended(): void;
}

const RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Whoever was connected for so long has not just been let in to be thrown out again. */
const LASTING_MS = 10_000;

/** Keeps a link connected: when a connection ends, another is opened, after pauses that grow while they fail. */
export class KeptConnection {
  readonly #env: Env;
  readonly #brokers: ForeignBrokers;
  readonly #link: Link;
  readonly #options: ConnectionOptions;
  readonly #begin: (connection: ForeignConnection) => Session;
  #current: { readonly connection: ForeignConnection; readonly session: Session } | undefined;
  #isConnected = false;
  #error = '';
  #connectedAtMs = 0;
  #pauseMs = RETRY_MS;
  #cancelRetry = () => {};

  constructor(options: {
    readonly env: Env;
    readonly brokers: ForeignBrokers;
    readonly link: Link;
    readonly connection: Omit<ConnectionOptions, 'target'>;
    readonly begin: (connection: ForeignConnection) => Session;
  }) {
    this.#env = options.env;
    this.#brokers = options.brokers;
    this.#link = options.link;
    this.#options = { ...options.connection, target: options.link.target };
    this.#begin = options.begin;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Why it is not connected, or was not. Empty: no reason is known. */
  get error(): string {
    return this.#error;
  }

  start(): void {
    const connection: ForeignConnection = this.#brokers.open(this.#options, {
      connected: () => this.#connected(connection),
      message: (message) => {
        if (connection === this.#current?.connection) this.#current.session.message(message);
      },
      closed: (reason) => {
        if (connection === this.#current?.connection) this.#ended(reason);
      },
    });
    this.#current = { connection, session: this.#begin(connection) };
  }

  /** Ends the connection, so that what is not acknowledged comes again on the next one. */
  fail(reason: string): void {
    this.#current?.connection.close();
    if (this.#current !== undefined) this.#ended(reason);
  }

  stop(): void {
    this.#cancelRetry();
    this.#current?.connection.close();
    this.#end();
  }

  #connected(connection: ForeignConnection): void {
    if (connection !== this.#current?.connection) return;
    this.#isConnected = true;
    this.#error = '';
    this.#connectedAtMs = this.#env.clock.monotonicMs();
    this.#report('info', 'connected', 'is connected');
    this.#current.session.connected();
  }

  #ended(reason: string): void {
    const { clock, timers, random } = this.#env;
    const lastedMs = clock.monotonicMs() - this.#connectedAtMs;
    if (this.#isConnected && lastedMs >= LASTING_MS) this.#pauseMs = RETRY_MS;
    // Once for each reason, not for each attempt.
    if (this.#isConnected || reason !== this.#error) this.#report('warn', 'disconnected', reason);
    this.#error = reason;
    this.#end();
    this.#cancelRetry = timers.after(this.#pauseMs + random.below(RETRY_MS), () => this.start());
    this.#pauseMs = Math.min(2 * this.#pauseMs, RETRY_MAX_MS);
  }

  #end(): void {
    const { session } = this.#current ?? {};
    this.#current = undefined;
    this.#isConnected = false;
    session?.ended();
  }

  #report(level: 'info' | 'warn', happened: string, sentence: string): void {
    const { kind, name, target } = this.#link;
    this.#env.events.emit({
      level,
      name: `${kind}-${happened}`,
      message: `the ${kind} ${name} at ${target.url}: ${sentence}`,
    });
  }
}
