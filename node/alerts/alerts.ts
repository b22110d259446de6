import type { Env } from '../env.ts';
import { readDispensable, writeStateFile } from '../membership/state-file.ts';
import { AlertHistory, decodeKept, encodeKept } from './alert-history.ts';
import { type AlertChange, AlertStates, type ToldAlert } from './alert-states.ts';
import { type AlertDocument, alertDocument, ruleDocuments } from './document.ts';
import type { AlertFacts } from './facts.ts';
import { measure } from './measure.ts';
import { RULE_NAMES, RULES, type RuleName, type RuleSettings, type Severity } from './rules.ts';
import { type Post, Webhook } from './webhook.ts';

/** What a node is told about its alerts. */
export interface AlertSettings {
  readonly rules?: RuleSettings;
  /** Where the history is kept over a restart; undefined: nowhere. */
  readonly directory?: string;
  /** Reaches the webhook, if there is one. */
  readonly post?: Post | undefined;
  /** Ordinary messages of this node's clients that did not reach them, since it started. */
  readonly dropped?: () => number;
}

/** What of a cluster is looked at. */
export interface AlertSources {
  readonly env: Env;
  readonly facts: () => AlertFacts;
  /** What other nodes say of themselves. */
  readonly told: () => readonly ToldAlert[];
  /** Whether it is this node that tells the webhook, of all that could. */
  readonly isTeller: () => boolean;
  readonly clusterId: string;
}

const LOOK_MS = 1_000;
const FILE = 'alerts';
/** Alerts that come and go wear out no disk. */
const KEEP_MS = 10_000;
/** A node that tells the webhook may die before it has: for so long the next one knows what is to be told. */
const UNTOLD_MS = 60_000;
/** Who has just started has not seen what the others want told, and lets them. */
const NEWCOMER_MS = 30_000;
const TOLD_MAX = 20;

/** Looks each second at what may worry somebody, and tells who wants to know. */
export class Alerts {
  readonly #sources: AlertSources;
  readonly #settings: AlertSettings;
  readonly #states: AlertStates;
  readonly #webhook: Webhook | undefined;
  readonly #listeners: (() => void)[] = [];
  #startedAtMs = Number.POSITIVE_INFINITY;
  #history = new AlertHistory();
  #untold: { readonly body: string; readonly atMs: number }[] = [];
  #node = '';
  #cancel = () => {};
  #isChanged = false;
  #keptAtMs: number | undefined;
  #keeping: Promise<void> | undefined;

  constructor(sources: AlertSources, settings: AlertSettings = {}) {
    const { env } = sources;
    this.#sources = sources;
    this.#settings = settings;
    this.#states = new AlertStates(settings.rules);
    this.#webhook = settings.post && new Webhook(env, settings.post);
  }

  /** What was kept before the restart: before anybody asks, and before `start`. */
  async recall(): Promise<void> {
    const { directory } = this.#settings;
    if (directory === undefined) return;
    const { vfs, events, clock } = this.#sources.env;
    const loss = 'what alerts there were is forgotten';
    try {
      const bytes = await readDispensable(vfs, directory, FILE, { events, loss });
      if (bytes === undefined) return;
      const { firing, history } = decodeKept(new TextDecoder().decode(bytes));
      this.#states.restore(firing, clock.monotonicMs());
      this.#history = new AlertHistory(history);
    } catch (error) {
      const message = `${loss}: ${(error as Error).message}`;
      events.emit({ level: 'warn', name: 'alerts-forgotten', message });
    }
  }

  start(): void {
    const { clock, timers } = this.#sources.env;
    this.#startedAtMs = clock.monotonicMs();
    this.#cancel = timers.every(LOOK_MS, () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#cancel();
    this.#webhook?.stop();
    await this.#keeping;
    await this.#keep();
  }

  /** Calls `listener` whenever one fires or is over. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Of all nodes, as this one knows them. */
  firing(): AlertDocument[] {
    return this.#states
      .list()
      .filter(({ state }) => state === 'firing')
      .map(alertDocument);
  }

  /** Every rule, and whether an alert of it fires: for metrics. */
  byRule(): { readonly rule: RuleName; readonly severity: Severity; readonly isFiring: boolean }[] {
    const firing = this.#states.list().filter(({ state }) => state === 'firing');
    const rules = new Set(firing.map(({ rule }) => rule));
    return RULE_NAMES.map((rule) => {
      return { rule, severity: RULES[rule].severity, isFiring: rules.has(rule) };
    });
  }

  /** The body of `GET /v1/alerts`; what is over, newest first. */
  document() {
    return {
      alerts: this.#states.list().map(alertDocument),
      history: this.#history.list().map(alertDocument).reverse(),
      rules: ruleDocuments(this.#states.rules),
    };
  }

  /** What other nodes cannot know, for heartbeats; and whether this one could tell the webhook. */
  forHeartbeat() {
    const alerts = this.#states.ownFiring().slice(0, TOLD_MAX);
    return {
      alerts: alerts.map(({ rule, subject, sinceMs, message }) => {
        return { rule, subject, sinceMs, message };
      }),
      reachesWebhook: this.#webhook?.isWorking === true && !this.#isNewcomer,
    };
  }

  get #isNewcomer(): boolean {
    return this.#sources.env.clock.monotonicMs() - this.#startedAtMs < NEWCOMER_MS;
  }

  #look(): void {
    const { env, facts, told } = this.#sources;
    const seen = facts();
    this.#node = seen.own.node;
    const nowMs = env.clock.nowMs();
    const livedMs = env.clock.monotonicMs();
    const changes = this.#states.look({
      ...{ measurements: measure(seen), told: told(), nowMs, livedMs },
    });
    for (const change of changes) this.#changed(change, nowMs, livedMs);
    this.#tell(livedMs);
    const isDue = livedMs - (this.#keptAtMs ?? -KEEP_MS) >= KEEP_MS;
    if (this.#isChanged && isDue && this.#keeping === undefined) {
      this.#keptAtMs = livedMs;
      this.#keeping = this.#keep().finally(() => {
        this.#keeping = undefined;
      });
    }
    if (changes.length > 0) for (const listener of this.#listeners) listener();
  }

  #changed({ kind, alert }: AlertChange, nowMs: number, livedMs: number): void {
    const { env, clusterId } = this.#sources;
    this.#isChanged = true;
    if (kind === 'resolved') this.#history.add(alert);
    env.events.emit({
      level: kind === 'resolved' ? 'info' : 'warn',
      name: kind === 'resolved' ? 'alert-resolved' : 'alert-firing',
      message: `${alert.name}: ${alert.message}`,
    });
    if (this.#webhook === undefined) return;
    const document = alertDocument(alert);
    const time = new Date(nowMs).toISOString();
    const body = { event: kind, cluster: clusterId, node: this.#node, time, alert: document };
    this.#untold.push({ body: JSON.stringify(body), atMs: livedMs });
  }

  #tell(livedMs: number): void {
    if (this.#untold.length === 0) return;
    if (this.#sources.isTeller()) {
      for (const { body } of this.#untold.splice(0)) this.#webhook?.send(body);
    }
    this.#untold = this.#untold.filter(({ atMs }) => livedMs - atMs < UNTOLD_MS);
  }

  /** What cannot be written now, on a disk that is full for one, is later. */
  async #keep(): Promise<void> {
    const { directory } = this.#settings;
    if (!this.#isChanged || directory === undefined) return;
    this.#isChanged = false;
    const firing = this.#states.list().filter(({ state }) => state === 'firing');
    const text = encodeKept({ firing, history: this.#history.list() });
    const { vfs } = this.#sources.env;
    await writeStateFile(vfs, directory, FILE, new TextEncoder().encode(text)).catch(() => {
      this.#isChanged = true;
    });
  }
}
