import assert from 'node:assert/strict';
import { type BalancerLimits, nextSteps } from '../../node/balance/balancer.ts';
import type { Step } from '../../node/balance/step.ts';
import { groupTargets } from '../../node/balance/targets.ts';
import {
  type GroupTarget,
  type GroupTruth,
  isReached,
  type ReplicaTruth,
} from '../../node/balance/truth.ts';
import {
  type NodeState,
  type PlacementNode,
  placeReplicas,
  type ShardPlacement,
} from '../../node/ring/placement.ts';
import { metaGroup, shardLayout } from '../../node/ring/slots.ts';

export interface ToyNode {
  readonly id: string;
  readonly zone: string;
  state: NodeState;
  isUp: boolean;
  isFull: boolean;
}

interface ToyReplica {
  readonly id: number;
  readonly node: string;
  /** Rounds until it holds everything; 0: it does. */
  missing: number;
  isSuspect: boolean;
}

interface ToyGroup {
  readonly group: number;
  index: number;
  term: number;
  leader: string | undefined;
  voters: ToyReplica[];
  /** Not empty: the configuration is joint. */
  outgoing: ToyReplica[];
  learners: ToyReplica[];
  nextId: number;
}

interface ToyOptions {
  readonly shardCount: number;
  readonly replicationFactor: number;
  readonly limits: BalancerLimits;
  /** Below 1, drawn anew for every choice that chance makes. */
  readonly chance: () => number;
  /** How many rounds it takes to fill a replica. */
  readonly fillRounds: number;
  /** Of every step, how likely it is to be lost on its way. */
  readonly lossRate: number;
}

/**
 * Groups as a balancer sees them, without any Raft: configurations with an index, learners that fill up,
 * nodes that come and go. Whatever it is asked for is checked against the rules before it is done.
 */
export class ToyCluster {
  readonly nodes: ToyNode[] = [];
  readonly groups: ToyGroup[] = [];
  /** Replicas that were made since the beginning. */
  created = 0;
  rounds = 0;
  readonly #options: ToyOptions;
  #placed: { table: string; placement: readonly ShardPlacement[] } | undefined;
  /** Steps that arrive in a later round. */
  #underWay: { step: Step; arrivesIn: number }[] = [];

  constructor(options: ToyOptions, nodes: readonly ToyNode[]) {
    this.#options = options;
    this.nodes.push(...nodes);
    const shards = shardLayout(options.shardCount);
    for (const { group } of [{ group: metaGroup }, ...shards]) {
      const first = [{ id: 1, node: nodes[0]?.id ?? '', missing: 0, isSuspect: false }];
      const none = { outgoing: [], learners: [], nextId: 2 };
      this.groups.push({ group, index: 1, term: 1, leader: undefined, voters: first, ...none });
    }
    // Genesis places everything at once.
    this.#elect();
    const targets = this.targets();
    for (const group of this.groups) {
      const { voters, learners } = targets.get(group.group) as GroupTarget;
      const replica = (node: string, i: number) => ({
        id: i + 1,
        node,
        missing: 0,
        isSuspect: false,
      });
      const all = [...voters, ...learners].map(replica);
      group.voters = all.slice(0, voters.length);
      group.learners = all.slice(voters.length);
      group.nextId = all.length + 1;
    }
    this.#elect();
  }

  targets(truths = this.truths()): Map<number, GroupTarget> {
    const nodes: PlacementNode[] = this.nodes.map(({ id, zone, state }) => ({
      ...{ id, zone, state },
      weight: 1,
    }));
    return groupTargets({ nodes, placement: this.#place(nodes), truths });
  }

  #place(nodes: readonly PlacementNode[]): readonly ShardPlacement[] {
    const table = nodes.map(({ id, state }) => `${id} ${state}`).join();
    if (this.#placed?.table === table) return this.#placed.placement;
    const { shardCount, replicationFactor } = this.#options;
    const placement = placeReplicas({ nodes, shards: shardLayout(shardCount), replicationFactor });
    this.#placed = { table, placement };
    return placement;
  }

  truths(): GroupTruth[] {
    return this.groups.flatMap((group) => {
      const { leader, outgoing } = group;
      if (leader === undefined) return [];
      const onlyOutgoing = outgoing.filter((replica) => !group.voters.includes(replica));
      return [
        {
          group: group.group,
          configurationIndex: group.index,
          term: group.term,
          leader,
          isChanging: outgoing.length > 0,
          replicas: [
            ...group.voters.map((replica) => this.#report(replica, 'voter')),
            ...onlyOutgoing.map((replica) => this.#report(replica, 'outgoing')),
            ...group.learners.map((replica) => this.#report(replica, 'learner')),
          ],
          bytes: 1,
        },
      ];
    });
  }

  #report({ id, node, missing, isSuspect }: ToyReplica, role: ReplicaTruth['role']): ReplicaTruth {
    const { isUp, state } = this.#node(node);
    return {
      replicaId: id,
      node,
      role,
      caughtUp: missing === 0 && isUp && state !== 'dead' && !isSuspect,
      installing: missing > 0,
      // The dead tell of no suspects.
      isSuspect: isSuspect && state !== 'dead',
    };
  }

  /** One round of everything. Returns whether anything is still going on. */
  round(): boolean {
    this.rounds += 1;
    const steps = this.#nextSteps(this.#underWay.map(({ step }) => step));
    this.#check(steps);
    for (const step of steps) {
      if (this.#options.chance() < this.#options.lossRate) continue;
      this.#underWay.push({ step, arrivesIn: Math.floor(this.#options.chance() * 3) });
    }
    const arrived = this.#underWay.filter(({ arrivesIn }) => arrivesIn <= 0);
    this.#underWay = this.#underWay
      .filter(({ arrivesIn }) => arrivesIn > 0)
      .map(({ step, arrivesIn }) => ({ step, arrivesIn: arrivesIn - 1 }));
    for (const { step } of arrived) this.perform(step);
    const isBusy = this.proceed();
    return isBusy || steps.length > 0 || this.#underWay.length > 0;
  }

  /** Whether every group that has a leader is what it should be. */
  get isReached(): boolean {
    const targets = this.targets();
    return this.truths().every((truth) => {
      const target = targets.get(truth.group);
      return target === undefined || isReached(truth, target);
    });
  }

  /** Whether each group would go on without this node or replica. */
  survives(lost: { readonly node?: string; readonly replica?: ToyReplica }): boolean {
    return this.groups.every((group) => {
      const stays = (replica: ToyReplica) =>
        this.#isGood(replica) && replica.node !== lost.node && replica !== lost.replica;
      return [group.voters, group.outgoing].every(
        (set) => set.length === 0 || 2 * set.filter(stays).length > set.length,
      );
    });
  }

  #nextSteps(underWay: readonly Step[]): Step[] {
    const nodes = this.nodes.map(({ id, state, isUp, isFull }) => ({
      ...{ id, state, isFull },
      isHealthy: isUp,
    }));
    const { limits } = this.#options;
    const truths = this.truths();
    const input = { truths, targets: this.targets(truths), nodes, underWay, limits };
    const steps = nextSteps(input);
    if (this.rounds % 8 > 0) return steps;
    const reversed = nextSteps({
      ...input,
      truths: input.truths.toReversed(),
      nodes: nodes.toReversed(),
    });
    assert.deepEqual(reversed, steps, 'the order of the input means nothing');
    return steps;
  }

  #check(steps: readonly Step[]): void {
    const groups = [...steps, ...this.#underWay.map(({ step }) => step)].map(({ group }) => group);
    assert.equal(new Set(groups).size, groups.length, 'one step for a group at a time');
    for (const step of steps) {
      const group = this.#group(step.group);
      assert.equal(group.outgoing.length, 0, 'no change of a joint configuration');
      assert.equal(step.configurationIndex, group.index);
      if (step.kind === 'learners') {
        for (const node of step.added) {
          const { isUp, isFull, state } = this.#node(node);
          assert.ok(isUp && !isFull && state === 'active', `nothing can be given to ${node}`);
        }
      }
      if (step.kind === 'voters') {
        assert.equal(step.voters.length % 2, 1, 'voters are odd in number');
        const holders = [...group.voters, ...group.learners];
        const good = step.voters.filter((node) =>
          holders.some((replica) => replica.node === node && this.#isGood(replica)),
        );
        assert.ok(2 * good.length > step.voters.length, 'a healthy majority afterwards');
      }
      if (step.kind === 'transfer') {
        const heir = group.voters.find(({ node }) => node === step.to);
        assert.ok(heir !== undefined && this.#isGood(heir), 'the heir is a healthy voter');
      }
    }
  }

  /** What the leader of a group makes of a step that it is asked for. */
  perform(step: Step): 'done' | 'not-leader' | 'changed' | 'not-ready' {
    const group = this.#group(step.group);
    if (group.leader !== step.leader) return 'not-leader';
    if (group.index !== step.configurationIndex || group.outgoing.length > 0) return 'changed';
    const holders = [...group.voters, ...group.learners];
    const on = (node: string) => holders.find((replica) => replica.node === node);
    switch (step.kind) {
      case 'learners':
        group.learners = step.learners.map((node) => on(node) ?? this.#create(group, node));
        break;
      case 'voters': {
        const voters = step.voters.map((node) => on(node) as ToyReplica);
        // What the leader itself refuses as not ready.
        const newcomers = voters.filter((replica) => !group.voters.includes(replica));
        if (!newcomers.every((replica) => this.#isGood(replica))) return 'not-ready';
        const good = voters.filter((replica) => this.#isGood(replica));
        if (2 * good.length <= voters.length) return 'not-ready';
        group.outgoing = group.voters;
        group.learners = step.learners.map((node) => on(node) as ToyReplica);
        group.voters = voters;
        break;
      }
      case 'replace-suspect': {
        group.outgoing = group.voters;
        group.voters = group.voters.map((replica) =>
          replica.id === step.suspect ? this.#create(group, step.node) : replica,
        );
        break;
      }
      case 'transfer':
        group.leader = step.to;
        group.term += 1;
        return 'done';
    }
    group.index += 1;
    this.#checkLimits();
    return 'done';
  }

  #create(group: ToyGroup, node: string): ToyReplica {
    this.created += 1;
    const { fillRounds } = this.#options;
    return { id: group.nextId++, node, missing: fillRounds, isSuspect: false };
  }

  #checkLimits(): void {
    const { limits } = this.#options;
    const filled = this.groups
      .flatMap(({ voters, learners }) => [...voters, ...learners])
      .filter(({ missing, node }) => {
        const { isUp, isFull, state } = this.#node(node);
        return missing > 0 && isUp && !isFull && state === 'active';
      });
    // Nodes that come back bring unfinished ones along, above the limits.
    const fresh = filled.filter(({ missing }) => missing === this.#options.fillRounds);
    for (const { id } of this.nodes) {
      const onNode = fresh.filter(({ node }) => node === id).length;
      assert.ok(onNode <= limits.receivingPerNodeMax, `${onNode} new replicas on ${id} at a time`);
    }
    assert.ok(fresh.length <= limits.receivingMax, `${fresh.length} new replicas at a time`);
  }

  /** Leaders are elected, replicas fill up, joint configurations are left. Returns whether there was anything. */
  proceed(): boolean {
    this.#elect();
    return this.groups.map((group) => this.#proceed(group)).includes(true);
  }

  #proceed(group: ToyGroup): boolean {
    if (group.leader === undefined) return false;
    let isBusy = false;
    for (const replica of [...group.voters, ...group.learners]) {
      if (replica.missing === 0 || !this.#isUp(replica.node)) continue;
      replica.missing -= 1;
      isBusy = true;
    }
    if (group.outgoing.length > 0) {
      group.outgoing = [];
      group.index += 1;
      isBusy = true;
    }
    return isBusy;
  }

  #elect(): void {
    for (const group of this.groups) {
      const heirs = group.voters.filter((replica) => this.#isGood(replica));
      const isLed = heirs.some(({ node }) => node === group.leader);
      const hasQuorum = [group.voters, group.outgoing].every((set) => {
        const up = set.filter(({ node, isSuspect }) => this.#isUp(node) && !isSuspect);
        return set.length === 0 || 2 * up.length > set.length;
      });
      if (!hasQuorum || heirs.length === 0) {
        group.leader = undefined;
      } else if (!isLed) {
        group.leader = heirs[Math.floor(this.#options.chance() * heirs.length)]?.node;
        group.term += 1;
      }
    }
  }

  #isGood({ node, missing, isSuspect }: ToyReplica): boolean {
    return this.#isUp(node) && missing === 0 && !isSuspect;
  }

  #isUp(node: string): boolean {
    const { isUp, state } = this.#node(node);
    return isUp && state !== 'dead' && state !== 'gone';
  }

  #node(id: string): ToyNode {
    const node = this.nodes.find((one) => one.id === id);
    assert.ok(node !== undefined, `there is no node ${id}`);
    return node;
  }

  #group(number: number): ToyGroup {
    return this.groups.find(({ group }) => group === number) as ToyGroup;
  }
}
