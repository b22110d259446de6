import { cluster, type kv } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Call } from '../transport/rpc.ts';
import type { MetaLog, ProposalOutcome } from './meta-log.ts';
import { settingsFromProto, settingsToProto } from './settings-codec.ts';

const { SettingsStatus } = cluster;

/** What the leader's log has made of a record. */
export type Decision = Extract<ProposalOutcome, { readonly kind: 'applied' | 'conflict' }>;

export interface MetaPeers {
  readonly own: string;
  /** Nodes that may have a replica of the meta group, the most likely leader first. */
  readonly metaNodes: () => readonly string[];
  readonly call: Call;
}

/** Of one try at one node. */
const TRY_DEADLINE_MS = 3_000;
/** An election takes a second or two: no use in asking all the time. */
const PAUSE_MS = 200;

/** The leader of the meta group, wherever it is now. */
export class MetaLeader {
  readonly #env: Env;
  readonly #meta: MetaLog;
  readonly #peers: MetaPeers;

  constructor(options: { readonly env: Env; readonly meta: MetaLog } & MetaPeers) {
    this.#env = options.env;
    this.#meta = options.meta;
    this.#peers = options;
  }

  /**
   * Has a record decided; undefined when that did not succeed until `untilMs` on the monotonic clock. It may
   * be proposed more than once then, which does no harm: a record applies to one revision only.
   */
  async propose(
    record: kv.SettingsRecord.$Properties,
    untilMs: number,
  ): Promise<Decision | undefined> {
    for (;;) {
      const decision = await this.#askAll(record, untilMs);
      if (decision !== undefined || this.#leftMs(untilMs) <= PAUSE_MS) return decision;
      await new Promise<void>((resolve) => this.#env.timers.after(PAUSE_MS, resolve));
    }
  }

  /** Each node at most once, so that two that name each other as the leader are left. */
  async #askAll(
    record: kv.SettingsRecord.$Properties,
    untilMs: number,
  ): Promise<Decision | undefined> {
    const asked = new Set<string>();
    let hint: string | undefined;
    for (;;) {
      const candidates = [hint, this.#peers.own, ...this.#peers.metaNodes()];
      const node = candidates.find((name) => name !== undefined && !asked.has(name));
      const leftMs = Math.min(this.#leftMs(untilMs), TRY_DEADLINE_MS);
      if (node === undefined || leftMs <= 0) return undefined;
      asked.add(node);
      const outcome = await this.#proposeAt(node, record, leftMs);
      if (outcome.kind === 'applied' || outcome.kind === 'conflict') return outcome;
      hint = outcome.kind === 'not-leader' ? outcome.leader : undefined;
    }
  }

  async #proposeAt(
    node: string,
    record: kv.SettingsRecord.$Properties,
    timeoutMs: number,
  ): Promise<ProposalOutcome> {
    if (node === this.#peers.own) return this.#proposeHere(record, timeoutMs);
    const body = { settingsRequest: { change: record } };
    const message = await this.#peers.call(node, body, timeoutMs);
    return outcomeOf(message?.settingsReply);
  }

  #proposeHere(
    record: kv.SettingsRecord.$Properties,
    timeoutMs: number,
  ): Promise<ProposalOutcome> | ProposalOutcome {
    if (this.#meta.settings === undefined) return { kind: 'not-leader', leader: undefined };
    return new Promise((resolve, reject) => {
      const cancel = this.#env.timers.after(timeoutMs, () => resolve({ kind: 'failed' }));
      this.#meta.propose(record).then(resolve, reject).finally(cancel);
    });
  }

  #leftMs(untilMs: number): number {
    return untilMs - this.#env.clock.monotonicMs();
  }
}

export function replyOf(outcome: ProposalOutcome): cluster.SettingsReply.$Properties {
  switch (outcome.kind) {
    case 'applied':
      return { status: SettingsStatus.SETTINGS_OK, settings: settingsToProto(outcome.settings) };
    case 'conflict':
      return {
        status: SettingsStatus.SETTINGS_CONFLICT,
        settings: settingsToProto(outcome.settings),
      };
    case 'not-leader':
      return { status: SettingsStatus.SETTINGS_NOT_LEADER, leaderNode: outcome.leader ?? '' };
    case 'failed':
      return { status: SettingsStatus.SETTINGS_UNSPECIFIED };
  }
}

function outcomeOf(reply: cluster.SettingsReply.$Properties | null | undefined): ProposalOutcome {
  const { status, settings, leaderNode = '' } = reply ?? {};
  if (status === SettingsStatus.SETTINGS_NOT_LEADER) {
    return { kind: 'not-leader', leader: leaderNode === '' ? undefined : leaderNode };
  }
  if (settings == null) return { kind: 'failed' };
  if (status === SettingsStatus.SETTINGS_OK) {
    return { kind: 'applied', settings: settingsFromProto(settings) };
  }
  if (status === SettingsStatus.SETTINGS_CONFLICT) {
    return { kind: 'conflict', settings: settingsFromProto(settings) };
  }
  return { kind: 'failed' };
}
