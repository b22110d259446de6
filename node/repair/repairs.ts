import type { StorageEngine } from '../../lsm/engine.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Members } from '../membership/members.ts';
import type { Entry, LogIndex, ReplicaId } from '../raft/types.ts';
import type { Shard } from '../ring/slots.ts';
import { type Place, placesOf } from '../shard/configuration.ts';
import type { ForcedRecovery } from '../shard/forced-recovery.ts';
import type { GroupObserver } from '../shard/group-changes.ts';
import type { NodeGroups } from '../shard/node-groups.ts';
import type { Replica } from '../shard/replica.ts';
import type { Call, RpcBody, RpcHub, RpcMessage } from '../transport/rpc.ts';
import { servingReplicas } from '../upkeep/serving-replicas.ts';
import { ClusterVerification } from './cluster-verification.ts';
import type { Comparison } from './comparison.ts';
import { Digests, isDigestOf } from './digests.ts';
import { Incidents } from './incidents.ts';
import { Spares, type SparesOptions } from './spares.ts';
import { type Corruption, TableDamage } from './table-damage.ts';
import { Verifier } from './verifier.ts';

export interface RepairsOptions {
  readonly env: Env;
  readonly own: string;
  readonly engine: StorageEngine;
  readonly groups: NodeGroups;
  readonly shards: readonly Shard[];
  readonly members: Members;
  readonly leaderOf: SparesOptions['leaderOf'];
  readonly isWell: SparesOptions['isWell'];
  readonly rpc: RpcHub;
  /** The replicas of each group are compared once in so long; 0: only when somebody asks. */
  readonly verifyMs: number;
}

/** What was found when the replicas of a group that this node leads were compared. */
interface Difference {
  readonly replica: Replica;
  readonly index: LogIndex;
  readonly comparison: Comparison;
}

const CHECK_MS = 5_000;
/** Slow: what it looks for has time, and the disk has other things to do. */
const VERIFY_BYTES_PER_SECOND = 16 * 1024 * 1024;

/**
 * Finds replicas that are not what they should be, by damage in tables and by comparing them with others, and sees to
 * it that they are not trusted any more. Their groups then replace them (node/balance).
 */
export class Repairs {
  readonly incidents: Incidents;
  readonly verification: ClusterVerification;
  readonly #options: RepairsOptions;
  readonly #spares: Spares;
  readonly #damage: TableDamage;
  readonly #digests: Digests;
  readonly #verifier: Verifier;
  readonly #differences = new Map<number, Difference>();
  #cancel: () => void = () => {};
  /** Files of damaged tables. */
  #mayHaveSetAside = true;

  constructor(options: RepairsOptions) {
    const { env, own, engine, groups, shards, members, leaderOf, isWell, rpc, verifyMs } = options;
    const { host } = groups;
    const call: Call = (node, body, timeoutMs) => rpc.call(node, 'consensus', body, timeoutMs);
    this.#options = options;
    this.incidents = new Incidents(env.clock);
    this.#spares = new Spares({ clock: env.clock, own, host, leaderOf, isWell, call });
    this.#damage = new TableDamage({
      events: env.events,
      shards,
      host,
      mayLeave: (replica) => this.#spares.mayLeave(replica),
      distrust: (replica, reason) => groups.distrust(replica.identity.group, reason),
      incidents: this.incidents,
    });
    this.#digests = new Digests({ env, engine, bytesPerSecond: VERIFY_BYTES_PER_SECOND });
    this.#verifier = new Verifier({
      ...{ env, own, host, call, digests: this.#digests, periodMs: verifyMs },
      onCompared: (...compared) => this.#compared(...compared),
    });
    this.verification = new ClusterVerification({
      ...{ verifier: this.#verifier, call, others: () => members.others() },
      led: () => this.#led().map(({ identity }) => identity.group),
    });
  }

  /** For what becomes of the groups here. */
  get observer(): GroupObserver {
    return {
      suspected: (group, replicaId, reason) =>
        this.incidents.incident('replica-suspect', group, replicaId, reason),
      admitted: (group) => this.incidents.decided('replica-suspect', group),
      replaced: (group) => {
        this.#damage.replaced(group);
        this.incidents.resolved('replica-suspect', group);
      },
    };
  }

  start(): void {
    for (const { group, replicaId, reason } of this.#options.groups.suspects()) {
      this.observer.suspected(group, replicaId, reason);
    }
    this.#damage.start();
    this.#verifier.start();
    this.#cancel = this.#options.env.timers.every(CHECK_MS, () => {
      this.#damage.check();
      this.#removeSetAside();
      for (const [group, difference] of this.#differences) this.#followUp(group, difference);
    });
  }

  stop(): void {
    this.#cancel();
    this.#damage.stop();
    this.#verifier.stop();
    this.#digests.stop();
  }

  /** The engine has met damage. */
  damaged(corruption: Corruption): void {
    this.#mayHaveSetAside = true;
    this.#damage.found(corruption);
  }

  /** At the start: an order of a person was carried out, and could not be for groups that are `hopeless`. */
  forced({ forced: groups, givenUp, hopeless }: Omit<ForcedRecovery, 'loggedGroups'>): void {
    const { env } = this.#options;
    for (const group of givenUp) {
      this.#damage.replaced(group);
      const reason = 'somebody has ordered to go on without what the damaged tables held';
      this.incidents.incident('values-given-up', group, 0, reason);
      this.incidents.resolved('values-given-up', group);
    }
    for (const group of groups) {
      const reason =
        'somebody said that the others are lost for good, and with them what only they had';
      this.incidents.incident('copy-forced', group, 0, reason);
      this.incidents.resolved('copy-forced', group);
    }
    const emit = (name: string, message: string, list: readonly number[]) => {
      if (list.length === 0) return;
      env.events.emit({ level: 'warn', name, message, data: { groups: list } });
    };
    const sentence = `${groups.length} groups go on with the copies here alone, as somebody has ordered`;
    emit('copies-forced', sentence, groups);
    const regret = `${hopeless.length} groups cannot go on with the copies here: nobody knows what their tables lack`;
    emit('copies-hopeless', regret, hopeless);
  }

  onHalted(replica: Replica): void {
    if (replica.isHaltedByDamage) this.#damage.halted(replica);
  }

  onChecksum(replica: Replica, entry: Entry): void {
    this.#digests.take(replica, entry);
  }

  /** Somebody has read a key of a group and got different answers: all of the group is compared. */
  readDiffered(group: number): void {
    this.#options.env.events.emit({
      level: 'error',
      name: 'replica-differs',
      message: `group ${group}: replicas hold different values of a key that was read; all of them are compared now`,
      data: { group },
    });
    // What does not begin now begins when its time comes.
    void this.verification.start([group]);
  }

  /** Whether the message was for here. */
  serve(message: RpcMessage, reply: (body: RpcBody) => void): boolean {
    const { checksumQuery, distrust, verifyRequest, spareRequest } = message;
    if (checksumQuery != null) reply({ checksumReport: this.#verifier.report(checksumQuery) });
    else if (distrust != null) this.#distrusted(distrust);
    else if (verifyRequest != null) reply({ verifyReply: this.verification.serve(verifyRequest) });
    else if (spareRequest != null) reply({ spareReply: this.#spares.serve(spareRequest) });
    else return false;
    return true;
  }

  /** Groups some of whose values cannot be read here, nor be had from anywhere else. */
  lacking() {
    return this.#damage.lacking();
  }

  /** Groups led here whose replicas do not hold the same, each with a sentence for people. */
  differing(): { readonly group: number; readonly message: string }[] {
    return [...this.#differences].map(([group, { comparison }]) => ({
      group,
      message: this.#sentence(group, comparison),
    }));
  }

  /** When every replica here is whole, nobody wants anything out of them. */
  #removeSetAside(): void {
    const { engine, groups } = this.#options;
    const isWhole = !this.#damage.concernsAnybody && groups.suspects().length === 0;
    if (!this.#mayHaveSetAside || !isWhole) return;
    this.#mayHaveSetAside = false;
    engine.removeSetAside().catch(() => {
      this.#mayHaveSetAside = true;
    });
  }

  #led(): Replica[] {
    return servingReplicas(this.#options.groups.host).filter(({ raft }) => raft.role === 'leader');
  }

  #compared(replica: Replica, index: LogIndex, comparison: Comparison): void {
    const { group } = replica.identity;
    if (comparison.slots.length === 0) return this.#settled(group);
    this.#options.env.events.emit({
      level: 'error',
      name: 'replica-differs',
      message: this.#sentence(group, comparison),
      data: { group, index, slots: comparison.slots },
    });
    for (const { replicaId } of comparison.differing) {
      this.incidents.incident('replica-differs', group, replicaId, `at index ${index}`);
    }
    const difference = { replica, index, comparison };
    this.#differences.set(group, difference);
    this.#followUp(group, difference);
  }

  /** Tells the nodes of those who are wrong, if the group can do without them, until they are no part of it any more. */
  #followUp(group: number, { replica, index, comparison }: Difference): void {
    const { own, groups, rpc } = this.#options;
    if (groups.host.replica(group) !== replica || replica.raft.role !== 'leader') {
      this.#differences.delete(group);
      return;
    }
    if (!comparison.isDecided) return;
    const present = new Set(placesOf(replica.members).map(({ replicaId }) => replicaId));
    const wrong = comparison.differing.filter(({ replicaId }) => present.has(replicaId));
    if (wrong.length === 0) return this.#settled(group);
    const { slots } = comparison;
    const others = wrong.filter(({ node }) => node !== own);
    for (const { node, replicaId } of others) {
      if (!this.#spares.grant(replica, replicaId)) continue;
      rpc.post(node, 'consensus', 0, {
        distrust: { group, replicaId, index, slots: [...slots] },
      });
    }
    const isOwnWrong = wrong.length > others.length;
    if (isOwnWrong && this.#spares.grant(replica, replica.identity.replicaId)) {
      groups.distrust(group, differenceReason(index, slots));
    }
  }

  #settled(group: number): void {
    this.#differences.delete(group);
    this.incidents.resolved('replica-differs', group);
  }

  /** The leader says that the replica here differs from the others at an entry at which it was read. */
  #distrusted(distrust: cluster.Distrust.$Properties): void {
    const { group = 0, replicaId = 0, index = 0, slots = [] } = distrust;
    const { groups } = this.#options;
    const isHere = groups.host.replica(group)?.identity.replicaId === (replicaId as ReplicaId);
    if (!isHere || !isDigestOf(this.#digests.of(group), replicaId, index)) return;
    groups.distrust(group, differenceReason(index, slots));
  }

  #sentence(group: number, { agreeing, differing, slots, isDecided }: Comparison): string {
    const { members } = this.#options;
    const names = (places: readonly Place[]) =>
      places.map(({ node }) => members.nameOf(node)).join(', ');
    return isDecided
      ? `Group ${group}: the replica on ${names(differing)} differs from those on ${names(agreeing)} in slots ${slots.join(', ')}.`
      : `Group ${group}: the replicas on ${names(differing)} differ in slots ${slots.join(', ')}, and no two agree that could decide.`;
  }
}

function differenceReason(index: LogIndex, slots: readonly number[]): string {
  return `its content differs from that of the other replicas at index ${index}, in slots ${slots.join(', ')}`;
}
