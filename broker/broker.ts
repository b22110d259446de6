import type { Duplex } from 'node:stream';
import { type Authenticator, EVERYTHING } from './access.ts';
import { type AnswerCount, AnswerCounts } from './answer-counts.ts';
import { BatchBuffers } from './batch-buffers.ts';
import { BulkPace } from './bulk-pace.ts';
import type { BrokerContext, RequestContext } from './context.ts';
import { type Counters, zeroCounters } from './counters.ts';
import type { ClusterDoor, DataPlane } from './data-plane.ts';
import { EndOfTurn } from './end-of-turn.ts';
import { SILENT_STRANGER, STOPPING } from './endings.ts';
import type { BrokerEnv } from './env.ts';
import { Front } from './front.ts';
import type { IngestLimits } from './ingest-rules/ingest-message.ts';
import type { IngestRule } from './ingest-rules/rule.ts';
import type { RuleCounts } from './ingest-rules/rule-counters.ts';
import type { IngestRules } from './ingest-rules/rules.ts';
import { Keepalives } from './keepalives.ts';
import { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts';
import { LiveRules } from './live-rules.ts';
import { LooseMessages } from './loose-messages.ts';
import { decodeProperties } from './mqtt5/properties.ts';
import { ClientSessions } from './ordinary/client-sessions.ts';
import type { PeerEvents, Peers } from './ordinary/peers.ts';
import type { MessageStore, SessionHost, StoredWill, StoreEvents } from './ordinary/store.ts';
import { RareWarning } from './rare-warning.ts';
import { ReadBudget } from './read-budget.ts';
import { type RefusalCode, Refusals } from './refusals.ts';
import { RefusedClients } from './refused-clients.ts';
import { SessionUsers } from './session-users.ts';
import type { SessionEvents, Sessions } from './sessions.ts';
import { Strangers } from './strangers.ts';
import { type BrokerFacts, SysTopics } from './sys-topics.ts';
import { TokenBucket } from './token-bucket.ts';
import { sharedFrames } from './value-frames.ts';
import { Wills } from './wills.ts';

const PAUSE_WARNING_MS = 60_000;

export interface BrokerOptions {
  readonly env: BrokerEnv;
  readonly dataPlane: DataPlane;
  readonly clusterDoor: ClusterDoor;
  /** Of DSS, for `$SYS/broker/version`. */
  readonly version: string;
  /** As in `dss/sys/refused/<nodeName>`. */
  readonly nodeName: string;
  readonly limits?: Partial<BrokerLimits>;
  readonly onInvalid: 'ack' | 'close';
  /** Absent: everybody may do everything. */
  readonly authenticator?: Authenticator | undefined;
  /**
   * `start`: there are no ingest rules until `useIngestRules` names some. `useIngestRules`: there may be, so an
   * ordinary message that wants an acknowledgement waits for the first call, for a while.
   */
  readonly ingestRulesKnownFrom?: 'start' | 'useIngestRules';
  /** This node, in this run of its process. */
  readonly host: SessionHost;
  readonly createPeers: (events: PeerEvents) => Peers;
  readonly createStore: (events: StoreEvents) => MessageStore;
  /** aedes in production (`aedes.ts`), which cannot be simulated. */
  readonly createSessions: (events: SessionEvents) => Sessions;
}

export interface BrokerCounters extends Readonly<Counters> {
  readonly refused: Readonly<Partial<Record<RefusalCode, number>>>;
}

/** One node's MQTT front door: connections in, calls on the data plane out. */
export class Broker {
  readonly #context: BrokerContext;
  readonly #wills: Wills;
  readonly #sysTopics: SysTopics;
  readonly #fronts = new Set<Front>();
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #allGone: (() => void) | undefined;

  constructor(options: BrokerOptions) {
    const { env, dataPlane, clusterDoor, onInvalid, host } = options;
    const refusals = new Refusals(env, (recent) =>
      this.publishSystem(`refused/${options.nodeName}`, recent),
    );
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const endOfTurn = new EndOfTurn(env);
    const counters = zeroCounters();
    const sessionUsers = new SessionUsers();
    const isKnown = options.ingestRulesKnownFrom !== 'useIngestRules';
    const ingestRules = new LiveRules(env, limits, { isKnown });
    const sessions = options.createSessions({ failed: (error) => this.#sessionsFailed(error) });
    const events = this.#sessionEvents();
    const peers = options.createPeers(events);
    const store = options.createStore(events);
    const clients = new ClientSessions({
      env,
      host,
      peers,
      store,
      limits,
      willLeft: (will, user) => this.#willLeft(will, user),
      counters,
    });
    this.#sysTopics = new SysTopics({
      env,
      counters,
      version: options.version,
      facts: () => clients.facts(),
      publish: (topic, text) =>
        clients.publish({ topic, payload: Buffer.from(text), qos: 0, retain: true }, ''),
    });
    const loose = { env, dataPlane, clients, ingestRules, refusals, counters };
    this.#context = {
      env,
      limits,
      onInvalid,
      dataPlane,
      clusterDoor,
      authenticator: options.authenticator,
      sessions,
      clients,
      peers,
      sessionUsers,
      ingestRules,
      looseMessages: new LooseMessages(loose),
      refusals,
      refusedClients: new RefusedClients(limits),
      strangers: new Strangers(limits.strangersMax),
      keepalives: new Keepalives(env),
      connectRate: connectRate(limits, env),
      pauseWarning: new RareWarning(env, PAUSE_WARNING_MS),
      counters,
      answerCounts: new AnswerCounts(),
      frames: sharedFrames(),
      endOfTurn,
      bulkPace: new BulkPace(endOfTurn, limits.bulkDeliveriesPerTurn),
      batchBuffers: new BatchBuffers(),
      readBudget: new ReadBudget(endOfTurn, limits.readBytesPerTurn),
    };
    this.#wills = new Wills(this.#context);
  }

  async start(): Promise<void> {
    await this.#context.sessions.start();
    this.#state = 'started';
    this.#sysTopics.start();
  }

  /** Takes over one connection: a TCP socket or anything like it. It should allow half-open. */
  handle(stream: Duplex, remoteAddress: string): void {
    if (this.#state !== 'started') {
      stream.on('error', () => {});
      stream.destroy();
      return;
    }
    const { counters } = this.#context;
    counters.connections += 1;
    counters.connectionsAccepted += 1;
    const front = new Front(this.#context, stream, remoteAddress, () => this.#gone(front));
    this.#fronts.add(front);
    if (front.open) this.#context.strangers.add(front)?.abort(SILENT_STRANGER);
  }

  /** Publishes retained JSON under `dss/sys/`. Without effect while the broker is not open. */
  publishSystem(topic: string, json: unknown): void {
    this.#retainSystem(topic, Buffer.from(JSON.stringify(json)));
  }

  /** What was said there does not hold any more. */
  clearSystem(topic: string): void {
    this.#retainSystem(topic, Buffer.alloc(0));
  }

  /** The ingest rules of the cluster, in their order; again whenever they change. */
  useIngestRules(rules: readonly IngestRule[]): void {
    this.#context.ingestRules.use(rules);
  }

  /** The rules that hold now, and within which limits: for trying what they would make of a message. */
  get ingestRules(): { readonly rules: IngestRules; readonly limits: IngestLimits } {
    const { current, limits } = this.#context.ingestRules;
    return { rules: current, limits };
  }

  /** What an ingest rule has done on this node. */
  ingestCounts(name: string): RuleCounts {
    return this.#context.ingestRules.counts(name);
  }

  /** For doors beside MQTT: what comes in there is counted, limited and reported with the rest. */
  get requestContext(): RequestContext {
    return this.#context;
  }

  counters(): BrokerCounters {
    return { ...this.#context.counters, refused: this.#context.refusals.counts() };
  }

  answerCounts(): readonly AnswerCount[] {
    return this.#context.answerCounts.list();
  }

  /** What is not counted, but is so now. */
  facts(): BrokerFacts {
    return this.#context.clients.facts();
  }

  /** Stops: what is committed is acknowledged, then connections close. Resolves when all are gone. */
  async close(): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const started = this.#state === 'started';
    this.#state = 'closing';
    this.#sysTopics.stop();
    this.#context.refusals.close();
    for (const front of [...this.#fronts]) front.finishWhenIdle(STOPPING);
    if (this.#fronts.size > 0) {
      await new Promise<void>((resolve) => {
        this.#allGone = resolve;
      });
    }
    await this.#context.clients.stop();
    if (started) await this.#context.sessions.close();
    this.#context.looseMessages.close();
    this.#state = 'closed';
  }

  #retainSystem(topic: string, payload: Buffer): void {
    if (this.#state !== 'started') return;
    this.#context.clients.publish({ topic: `dss/sys/${topic}`, payload, qos: 0, retain: true }, '');
  }

  /** What other nodes and the store have to say, from the moment on that they exist. */
  #sessionEvents(): PeerEvents & StoreEvents {
    const clients = () => this.#context.clients;
    return {
      received: (message, shared) => clients().received(message, shared),
      undelivered: (node, deliveries) => clients().undelivered(node, deliveries),
      takenOver: (claim) => clients().takenOver(claim),
      hinted: (clientId) => clients().hinted(clientId),
      unreachable: (node) => clients().unreachable(node),
      reachable: (node) => clients().reachable(node),
      queueReadable: (clientId) => clients().queueReadable(clientId),
      sessionChanged: (clientId, record, before) =>
        clients().sessionChanged(clientId, record, before),
    };
  }

  /** What a client may leave was decided when it connected, maybe at another node. */
  #willLeft({ message }: StoredWill, user: string): boolean {
    const { authenticator } = this.#context;
    const access = authenticator === undefined ? EVERYTHING : authenticator.accessOf(user);
    if (access === undefined) return false;
    const { topic, payload, from: clientId } = message;
    const properties = decodeProperties(message.properties, 'will');
    return this.#wills.left({ topic, payload, properties }, { clientId, access });
  }

  #gone(front: Front): void {
    this.#fronts.delete(front);
    this.#context.counters.connections -= 1;
    if (this.#fronts.size === 0) this.#allGone?.();
  }

  #sessionsFailed(error: Error): void {
    this.#context.env.events.emit({
      level: 'error',
      name: 'sessions-failed',
      message: `the session layer reported: ${error.message}`,
    });
  }
}

function connectRate(limits: BrokerLimits, { clock }: BrokerEnv): TokenBucket | undefined {
  const { connectionsPerSecond: perSecond, connectBurstSeconds: burstSeconds } = limits;
  if (perSecond === 0) return undefined;
  return new TokenBucket({ perSecond, burstSeconds, nowMs: clock.monotonicMs() });
}
