import { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import { MetaLeader, type MetaPeers, replyOf } from './meta-leader.ts';
import { changeRecord, type MetaLog, readRecord } from './meta-log.ts';
import type { NodeRow } from './nodes.ts';
import {
  EMPTY_SETTINGS,
  type InitialRules,
  type Settings,
  type SettingsEdit,
  type SettingsProblem,
  sameSettings,
  withInitialRules,
} from './settings.ts';
import { settingsFromProto, settingsToProto } from './settings-codec.ts';

const { SettingsStatus } = cluster;

export type ChangeOutcome =
  /** As they are now; where there was nothing to change, as they were. */
  | { readonly kind: 'settled'; readonly settings: Settings }
  | { readonly kind: 'refused'; readonly problem: SettingsProblem }
  /** Others changed them each time that we tried. */
  | { readonly kind: 'contended' }
  /** Not in time; the change may have been made, or still be. It may be repeated. */
  | { readonly kind: 'unavailable' };

const CHANGE_DEADLINE_MS = 10_000;
const CHANGE_ATTEMPTS_MAX = 20;
const FETCH_DEADLINE_MS = 3_000;
const RETRY_MS = 1_000;
const SEED_RETRY_MS = 100;

/**
 * The settings of the cluster, in the newest revision that this node has heard of. Nodes with a replica of
 * the meta group hear of changes by applying them, all nodes from heartbeats, which name the revision that
 * their sender knows. Whatever is taken over was committed, so the higher revision is the later one.
 */
export class SettingsService {
  readonly #env: Env;
  readonly #meta: MetaLog;
  readonly #peers: MetaPeers;
  readonly #leader: MetaLeader;
  readonly #listeners = new Set<(settings: Settings) => void>();
  #current = EMPTY_SETTINGS;
  #isKnown = false;
  #isFetching = false;
  #isStopped = false;

  constructor(options: { readonly env: Env; readonly meta: MetaLog } & MetaPeers) {
    this.#env = options.env;
    this.#meta = options.meta;
    this.#peers = options;
    this.#leader = new MetaLeader(options);
    if (options.meta.settings !== undefined) this.applied(options.meta.settings);
  }

  /** Empty, with revision 0, until they are known. */
  get current(): Settings {
    return this.#current;
  }

  /**
   * Whether anybody who knows has told them since this node started. Before that, a topic that no rule
   * matches may be one that is to be stored.
   */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Calls `listener` when they become known, and at every newer revision. Returns how to stop that. */
  onChange(listener: (settings: Settings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Learns them without waiting for a heartbeat. */
  async start(): Promise<void> {
    while (!this.#isKnown && !this.#isStopped) {
      for (const node of this.#peers.metaNodes()) {
        if (node !== this.#peers.own && !this.#isKnown) await this.#fetch(node);
      }
      if (!this.#isKnown) await this.#pause();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Reads, edits and replaces them, as one step: `edit` is called again when somebody else was faster. What
   * this node knows may be old; then the first proposal conflicts, and the conflict brings the newest.
   */
  async change(edit: SettingsEdit): Promise<ChangeOutcome> {
    const untilMs = this.#env.clock.monotonicMs() + CHANGE_DEADLINE_MS;
    let known = this.#current;
    let isNewest = false;
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const { problem, settings: wanted = known } = edit(known);
      const isChange = wanted !== known;
      if (!isChange && isNewest) {
        if (problem !== undefined) return { kind: 'refused', problem };
        return { kind: 'settled', settings: known };
      }
      const record = isChange ? changeRecord(known, wanted) : readRecord();
      const decision = await this.#leader.propose(record, untilMs);
      if (decision === undefined) return { kind: 'unavailable' };
      const { settings } = decision;
      this.#learn(settings);
      if (decision.kind === 'applied') return { kind: 'settled', settings };
      // It was our own proposal that was faster, and its answer that was lost.
      const isOurs = settings.revision === known.revision + 1 && sameSettings(settings, wanted);
      if (isChange && isOurs) return { kind: 'settled', settings };
      known = settings;
      isNewest = true;
    }
    return { kind: 'contended' };
  }

  /** For every change that this node's replica of the meta group applies. */
  applied(settings: Settings): void {
    this.#learn(settings);
  }

  /** For every heartbeat. Who knows a later revision is asked for it; if that fails, its next one is soon. */
  heardRevision(node: string, revision: number): void {
    if (revision > this.#current.revision) void this.#fetch(node);
  }

  /**
   * For the leader of the meta group, each time that it becomes that: the first settings are the nodes of the genesis and
   * the rules of its configuration file, or none. From then on they are decided, and history may go by them.
   */
  async seed(initial: InitialRules, firstNodes: readonly NodeRow[]): Promise<void> {
    // The news comes from within a turn of the group, which is not the time to propose.
    await new Promise<void>((resolve) => this.#env.yield(resolve));
    // A leader knows the settings only once it has applied the entry that began its term.
    while (this.#meta.settings === undefined && !this.#isStopped) await this.#pause(SEED_RETRY_MS);
    if (this.#meta.settings?.revision !== 0) return;
    const empty = { ...EMPTY_SETTINGS, nodes: firstNodes };
    const { problem, settings = empty } = withInitialRules(empty, initial);
    if (problem !== undefined) this.#complainOfInitialRules(problem);
    while (!this.#isStopped && this.#meta.settings?.revision === 0) {
      const outcome = await this.#meta.propose(changeRecord(EMPTY_SETTINGS, settings));
      if (outcome.kind === 'applied' || outcome.kind === 'conflict') this.#learn(outcome.settings);
      if (outcome.kind !== 'failed') return;
      await this.#pause();
    }
  }

  /** The other side: a node asks for what we know, or wants a change to be proposed here. */
  async serve(
    request: cluster.SettingsRequest.$Properties,
  ): Promise<cluster.SettingsReply.$Properties> {
    if (request.change != null) {
      const hasReplica = this.#meta.settings !== undefined;
      const elsewhere = { kind: 'not-leader', leader: undefined } as const;
      return replyOf(hasReplica ? await this.#meta.propose(request.change) : elsewhere);
    }
    if (!this.#isKnown) return { status: SettingsStatus.SETTINGS_UNSPECIFIED };
    return { status: SettingsStatus.SETTINGS_OK, settings: settingsToProto(this.#current) };
  }

  /** One at a time: a newer revision than the one that is being fetched is in the next heartbeat too. */
  async #fetch(node: string): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    const message = await this.#peers.call(node, { settingsRequest: {} }, FETCH_DEADLINE_MS);
    this.#isFetching = false;
    const { status, settings } = message?.settingsReply ?? {};
    if (status === SettingsStatus.SETTINGS_OK && settings != null) {
      this.#learn(settingsFromProto(settings));
    }
  }

  #learn(settings: Settings): void {
    if (this.#isKnown && settings.revision <= this.#current.revision) return;
    this.#isKnown = true;
    if (settings.revision > this.#current.revision) this.#current = settings;
    for (const listener of this.#listeners) listener(this.#current);
  }

  #complainOfInitialRules(problem: SettingsProblem): void {
    this.#env.events.emit({
      level: 'error',
      name: 'initial-rules-refused',
      message: `the rules of the configuration file were not taken over: ${problem.message}`,
    });
  }

  #pause(ms = RETRY_MS): Promise<void> {
    return new Promise((resolve) => this.#env.timers.after(ms, resolve));
  }
}
