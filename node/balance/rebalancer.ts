import { cluster } from '../../protos/index.ts';
import type { Env, NodeEvent } from '../env.ts';
import { type PlacementNode, placeReplicas, type ShardPlacement } from '../ring/placement.ts';
import type { Shard } from '../ring/slots.ts';
import type { Call } from '../transport/rpc.ts';
import { type BalancerLimits, nextSteps, reasonOf } from './balancer.ts';
import { type BalanceEvent, EventLog } from './event-log.ts';
import { type Move, Moves } from './moves.ts';
import { type StateChange, stateChanges } from './node-states.ts';
import { Nodes } from './nodes.ts';
import { type Heard, truthsOf } from './reports.ts';
import { requestOf, type Step, stepText } from './step.ts';
import { groupTargets } from './targets.ts';
import type { GroupTarget, GroupTruth } from './truth.ts';
import { UnderWay } from './under-way.ts';

/** A row of the node table, as far as it matters here. */
export interface TableNode {
  readonly node: string;
  readonly name: string;
  readonly weight: number;
  /** Empty: none. */
  readonly zone: string;
  readonly state: PlacementNode['state'];
}

export interface RebalancerOptions {
  readonly env: Pick<Env, 'clock' | 'timers' | 'events'>;
  /** All shards of the cluster; meta is one group more. */
  readonly shards: readonly Shard[];
  readonly replicationFactor: number;
  /** Whether this node leads the meta group, and so is the one that balances. */
  readonly leadsMeta: () => boolean;
  readonly table: () => readonly TableNode[];
  /** What every node said last, this one included. */
  readonly heard: () => readonly Heard[];
  /** Changes the node table. Resolves with whether it says so now. */
  readonly setNodeState: (node: string, state: StateChange['state']) => Promise<boolean>;
  /** Asks a node, which may be this one. Undefined: no answer in time. */
  readonly call: Call;
  readonly limits?: BalancerLimits;
  readonly deadAfterMs?: number;
}

const PERIOD_MS = 1_000;
/** So long the news of several nodes are gathered. */
const NEWS_DELAY_MS = 50;
const CALL_DEADLINE_MS = 5_000;
/** A new leader of meta waits until every node has told it what it leads. */
const PERIODS_BEFORE_FIRST_STEP = 3;
const EVENTS_MAX = 200;
export const DEAD_AFTER_MS = 5 * 60_000;
export const BALANCER_LIMITS: BalancerLimits = {
  receivingPerNodeMax: 8,
  receivingMax: 24,
  transfersMax: 8,
};

const { ConfigurationStatus } = cluster;

/**
 * Brings all groups to where they should be, one step after the other: asks their leaders for what the balancer
 * says, and keeps the states in the node table true. Runs on every node and acts on the one that leads meta. It
 * keeps nothing that would be missed: whoever leads next goes on from what the groups are.
 */
export class Rebalancer {
  readonly #options: RebalancerOptions;
  readonly #underWay = new UnderWay();
  readonly #moves = new Moves();
  readonly #events = new EventLog(EVENTS_MAX);
  /** Nodes that have failed: for how long we know, and since when they are silent. */
  readonly #failed = new Map<string, { forMs: number; readonly sinceMs: number }>();
  readonly #changing = new Set<string>();
  #placed: { readonly table: string; readonly placement: readonly ShardPlacement[] } | undefined;
  #periodsLed = 0;
  #hasNews = false;
  #cancel: () => void = () => {};

  constructor(options: RebalancerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.env.timers.every(PERIOD_MS, () => this.#period());
  }

  stop(): void {
    this.#cancel();
    this.#resign();
  }

  /** Whether this node balances now, and knows enough to. */
  get isLeading(): boolean {
    return this.#periodsLed >= PERIODS_BEFORE_FIRST_STEP;
  }

  /** What is going on, each with the time it will still take if that can be known. */
  moves(): readonly (Move & { readonly msLeft: number | undefined })[] {
    const nowMs = this.#options.env.clock.nowMs();
    return this.#moves.list().map((move) => ({ ...move, msLeft: this.#moves.msLeft(move, nowMs) }));
  }

  /** What this node has done as the balancer since it started, the last 200. */
  events(): readonly BalanceEvent[] {
    return this.#events.list();
  }

  #period(): void {
    if (!this.#options.leadsMeta()) return this.#resign();
    this.#periodsLed += 1;
    const heard = this.#options.heard();
    const table = this.#options.table();
    this.#watchNodes(heard, table);
    if (this.#periodsLed < PERIODS_BEFORE_FIRST_STEP) return;

    const truths = truthsOfLiving(heard, table);
    this.#changeStates(heard, table, truths);
    this.#balance(heard, table, truths);
  }

  /** A node has told how far its groups are: while data moves, that is not left until the next period. */
  news(): void {
    if (this.#hasNews || !this.isLeading || this.#moves.list().length === 0) return;
    this.#hasNews = true;
    this.#options.env.timers.after(NEWS_DELAY_MS, () => {
      this.#hasNews = false;
      if (!this.isLeading || !this.#options.leadsMeta()) return;
      const table = this.#options.table();
      const heard = this.#options.heard();
      this.#balance(heard, table, truthsOfLiving(heard, table));
    });
  }

  #resign(): void {
    this.#periodsLed = 0;
    this.#underWay.clear();
    this.#moves.clear();
    this.#failed.clear();
  }

  /** Counts periods, not time: a process that slept has not watched anybody. */
  #watchNodes(heard: readonly Heard[], table: readonly TableNode[]): void {
    const { clock } = this.#options.env;
    for (const { node, state, sinceHeardMs = 0 } of heard) {
      if (state !== 'failed') {
        if (!isDead(table, node)) this.#failed.delete(node);
        continue;
      }
      const known = this.#failed.get(node);
      if (known === undefined) {
        this.#failed.set(node, { forMs: 0, sinceMs: clock.nowMs() - sinceHeardMs });
      } else known.forMs += PERIOD_MS;
    }
  }

  #changeStates(
    heard: readonly Heard[],
    table: readonly TableNode[],
    truths: readonly GroupTruth[],
  ): void {
    const { shards, replicationFactor, deadAfterMs = DEAD_AFTER_MS } = this.#options;
    const nodes = table.map(({ node, state }) => ({
      node,
      state,
      isHealthy: isHealthy(heard, node),
      failedForMs: this.#failed.get(node)?.forMs ?? 0,
    }));
    const groupCount = shards.length + 1;
    const changes = stateChanges({ nodes, truths, groupCount, replicationFactor, deadAfterMs });
    for (const change of changes) void this.#changeState(change);
  }

  async #changeState({ node, state }: StateChange): Promise<void> {
    if (this.#changing.has(node)) return;
    this.#changing.add(node);
    const isDone = await this.#options.setNodeState(node, state).catch(() => false);
    this.#changing.delete(node);
    // What is not done is tried again in the next period.
    if (!isDone) return;
    const message = `${this.#nameOf(node)} is ${state}`;
    this.#record({ kind: 'node-state', message, node }, 'info');
  }

  #balance(
    heard: readonly Heard[],
    table: readonly TableNode[],
    truths: readonly GroupTruth[],
  ): void {
    const nowMs = this.#options.env.clock.monotonicMs();
    const { done, late } = this.#underWay.settle(truths, nowMs);
    for (const step of done) this.#emitStep('debug', 'step-done', step);
    for (const step of late) this.#stepFailed(step, 'nothing was seen of it in time');

    const nodes = table.map(({ node, state }) => {
      const heartbeat = heard.find((each) => each.node === node)?.heartbeat;
      const isFull = heartbeat?.storageFull === true;
      return { id: node, state, isHealthy: isHealthy(heard, node), isFull };
    });
    const targets = this.#targets(table, truths);
    this.#follow(truths, targets, new Nodes(nodes));
    const { limits = BALANCER_LIMITS } = this.#options;
    const underWay = this.#underWay.steps();
    for (const step of nextSteps({ truths, targets, nodes, underWay, limits })) {
      this.#underWay.add(step, nowMs);
      this.#moves.decided(step.group, this.#options.env.clock.nowMs());
      void this.#ask(step);
    }
  }

  #targets(
    table: readonly TableNode[],
    truths: readonly GroupTruth[],
  ): ReadonlyMap<number, GroupTarget> {
    const nodes = table.map(({ node, weight, zone, state }) => ({ id: node, weight, zone, state }));
    const { shards, replicationFactor } = this.#options;
    const text = JSON.stringify(nodes);
    if (this.#placed?.table !== text) {
      const placement = placeReplicas({ nodes, shards, replicationFactor });
      this.#placed = { table: text, placement };
    }
    return groupTargets({ nodes, placement: this.#placed.placement, truths });
  }

  #follow(
    truths: readonly GroupTruth[],
    targets: ReadonlyMap<number, GroupTarget>,
    nodes: Nodes,
  ): void {
    const nowMs = this.#options.env.clock.nowMs();
    const silentSince = (node: string) => this.#failed.get(node)?.sinceMs;
    const reason = (truth: GroupTruth) => reasonOf(truth, nodes);
    for (const move of this.#moves.update({
      truths,
      targets,
      nowMs,
      silentSince,
      reasonOf: reason,
    })) {
      const { group, detectedAtMs, decidedAtMs, from, to } = move;
      const names = (ids: readonly string[]) => ids.map((id) => this.#nameOf(id)).join(', ');
      const places = [
        ...(from.length > 0 ? [` from ${names(from)}`] : []),
        ...(to.length > 0 ? [` to ${names(to)}`] : []),
      ];
      const message = `group ${group} has moved${places.join('')}`;
      const times = { detectedAtMs, decidedAtMs: decidedAtMs ?? nowMs, repairedAtMs: nowMs };
      this.#record({ kind: 'moved', message, group, reason: move.reason, ...times }, 'info');
    }
  }

  async #ask(step: Step): Promise<void> {
    this.#emitStep('debug', 'step-started', step);
    const body = { configurationRequest: requestOf(step) };
    const answer = await this.#options
      .call(step.leader, body, CALL_DEADLINE_MS)
      .catch(() => undefined);
    // Without an answer it may have been done: the truth will tell.
    const status = answer?.configurationReply?.status;
    if (status === undefined || status === ConfigurationStatus.CONFIGURATION_PROPOSED) return;
    this.#underWay.refused(step, this.#options.env.clock.monotonicMs());
    this.#stepFailed(step, refusals[status] ?? 'its leader refused');
  }

  #stepFailed(step: Step, why: string): void {
    const { group, reason, leader } = step;
    const message = `${stepText(step, (node) => this.#nameOf(node))}: ${why}`;
    this.#record({ kind: 'step-failed', message, group, reason, node: leader }, 'debug');
  }

  #emitStep(level: NodeEvent['level'], name: string, step: Step): void {
    this.#emit(
      level,
      name,
      stepText(step, (node) => this.#nameOf(node)),
      { group: step.group },
    );
  }

  #record(event: Omit<BalanceEvent, 'atMs'>, level: NodeEvent['level']): void {
    this.#events.add({ atMs: this.#options.env.clock.nowMs(), ...event });
    this.#emit(
      level,
      event.kind,
      event.message,
      event.group === undefined ? {} : { group: event.group },
    );
  }

  #emit(level: NodeEvent['level'], name: string, message: string, data: object = {}): void {
    this.#options.env.events.emit({ level, name, message, data: { ...data } });
  }

  #nameOf(node: string): string {
    return this.#options.table().find((row) => row.node === node)?.name ?? node;
  }
}

const refusals: Readonly<Record<number, string>> = {
  [ConfigurationStatus.CONFIGURATION_NOT_LEADER]: 'somebody else leads it now',
  [ConfigurationStatus.CONFIGURATION_CHANGED]: 'it has changed meanwhile',
  [ConfigurationStatus.CONFIGURATION_NOT_READY]: 'a replica has not caught up',
};

function isHealthy(heard: readonly Heard[], node: string): boolean {
  return heard.some((each) => each.node === node && each.state === 'active');
}

/** What the dead said last counts no more. */
function truthsOfLiving(heard: readonly Heard[], table: readonly TableNode[]): GroupTruth[] {
  return truthsOf(heard.filter(({ node }) => !isDead(table, node)));
}

function isDead(table: readonly TableNode[], node: string): boolean {
  const state = table.find((row) => row.node === node)?.state;
  return state === 'dead' || state === 'gone';
}
