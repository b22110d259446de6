import { describe, expect, it } from 'vitest';
import { Rebalancer } from '../../node/balance/rebalancer.ts';
import type { Step, StepAction } from '../../node/balance/step.ts';
import { shardLayout } from '../../node/ring/slots.ts';
import type { RpcBody } from '../../node/transport/rpc.ts';
import { cluster, decode, encode } from '../../protos/index.ts';
import { Life, World } from '../sim/world.ts';
import { SeededRandom } from '../support/random.ts';
import { ToyCluster, type ToyNode } from './toy-cluster.ts';

const { ConfigurationStatus, ReplicaRole } = cluster;
const shardCount = 8;
const deadAfterMs = 60_000;

const roles = {
  voter: ReplicaRole.VOTER,
  outgoing: ReplicaRole.OUTGOING,
  learner: ReplicaRole.LEARNER,
};
const statuses = {
  done: ConfigurationStatus.CONFIGURATION_PROPOSED,
  'not-leader': ConfigurationStatus.CONFIGURATION_NOT_LEADER,
  changed: ConfigurationStatus.CONFIGURATION_CHANGED,
  'not-ready': ConfigurationStatus.CONFIGURATION_NOT_READY,
};

const newNode = (index: number): ToyNode => ({
  id: `node-${index}`,
  ...{ zone: '', state: 'active', isUp: true, isFull: false },
});

const limits = { receivingPerNodeMax: 2, receivingMax: 8, transfersMax: 8 };

/** The rebalancers of two nodes over a toy cluster, in simulated time. The first leads meta. */
class Scene {
  readonly world = new World();
  readonly toy: ToyCluster;
  readonly rebalancers: Rebalancer[];
  leadsMeta = 0;
  asked = 0;
  /** What happens to calls. */
  loses: (call: number) => 'nothing' | 'request' | 'reply' = () => 'nothing';
  readonly #downSinceMs = new Map<string, number>();

  constructor(nodeCount: number) {
    const random = new SeededRandom(nodeCount);
    const nodes = Array.from({ length: nodeCount }, (_, index) => newNode(index));
    const chance = () => random.fraction();
    const options = {
      shardCount,
      replicationFactor: 3,
      limits,
      chance,
      fillRounds: 3,
      lossRate: 0,
    };
    this.toy = new ToyCluster(options, nodes);
    const own = new Life(this.world, 'toy');
    own.every(500, () => this.toy.proceed());
    this.rebalancers = [0, 1].map((index) => this.#rebalancer(index));
    for (const rebalancer of this.rebalancers) rebalancer.start();
  }

  get first(): Rebalancer {
    return this.rebalancers[0] as Rebalancer;
  }

  fail(index: number): ToyNode {
    const node = this.toy.nodes[index] as ToyNode;
    node.isUp = false;
    this.#downSinceMs.set(node.id, this.world.nowMs);
    return node;
  }

  async untilReached(): Promise<void> {
    const isReached = () =>
      this.toy.isReached && this.rebalancers.every((one) => one.moves().length === 0);
    await this.world.until('the target is reached', isReached, 300_000);
  }

  #rebalancer(index: number): Rebalancer {
    const life = new Life(this.world, `node-${index}`);
    return new Rebalancer({
      limits,
      env: { clock: life, timers: life, events: life },
      shards: shardLayout(shardCount),
      replicationFactor: 3,
      leadsMeta: () => this.leadsMeta === index,
      table: () =>
        this.toy.nodes.map(({ id, zone, state }) => {
          return { node: id, name: id.replace('node-', 'n'), weight: 1, zone, state };
        }),
      heard: () => this.toy.nodes.map((node) => this.#heard(node)),
      setNodeState: async (id, state) => {
        const node = this.toy.nodes.find((one) => one.id === id) as ToyNode;
        node.state = state;
        return true;
      },
      call: (node, body) => this.#call(life, node, body),
      deadAfterMs,
    });
  }

  #heard({ id, isUp, isFull }: ToyNode) {
    const truths = this.toy.truths();
    const downForMs = this.world.nowMs - (this.#downSinceMs.get(id) ?? this.world.nowMs);
    const bytes = encode(cluster.Heartbeat, {
      format: 1,
      node: id,
      storageFull: isFull,
      suspects: truths.flatMap(({ group, replicas }) =>
        replicas
          .filter(({ node, isSuspect }) => node === id && isSuspect)
          .map(({ replicaId }) => ({ group, replicaId })),
      ),
      leads: truths
        .filter(({ leader }) => leader === id)
        .map(({ group, configurationIndex, term, isChanging, replicas }) => ({
          ...{ group, configurationIndex, term, committed: !isChanging, bytes: 1_000_000 },
          replicas: replicas.map((replica) => ({ ...replica, role: roles[replica.role] })),
        })),
    });
    return {
      node: id,
      state: isUp
        ? ('active' as const)
        : downForMs > 15_000
          ? ('failed' as const)
          : ('suspect' as const),
      sinceHeardMs: isUp ? 0 : downForMs,
      heartbeat: decode(cluster.Heartbeat, bytes),
    };
  }

  async #call(life: Life, node: string, { configurationRequest }: RpcBody) {
    const lost = this.loses(this.asked++);
    const message = { configurationRequest: configurationRequest ?? null };
    const wire = decode(cluster.Rpc, encode(cluster.Rpc, { id: 1, ...message }));
    const request = wire.configurationRequest as cluster.ConfigurationRequest;
    await new Promise<void>((resolve) => void life.after(20, resolve));
    const status = lost === 'request' ? undefined : this.#serve(node, request);
    await new Promise<void>((resolve) => void life.after(20, resolve));
    if (status === undefined || lost === 'reply') return undefined;
    return decode(cluster.Rpc, encode(cluster.Rpc, { id: 1, configurationReply: { status } }));
  }

  #serve(leader: string, request: cluster.ConfigurationRequest): cluster.ConfigurationStatus {
    const { group, configurationIndex, voters, learners, transferTo, suspect } = request;
    const context = { group, configurationIndex, leader, reason: 'balance' as const };
    const held = this.toy.truths().find((truth) => truth.group === group)?.replicas ?? [];
    const action = (): StepAction => {
      if (transferTo !== '') return { kind: 'transfer', to: transferTo };
      if (request.replaceSuspect) {
        const node = held.find(({ replicaId }) => replicaId === suspect)?.node ?? '';
        return { kind: 'replace-suspect', suspect, node, learners };
      }
      return voters.length > 0
        ? { kind: 'voters', voters, learners }
        : { kind: 'learners', learners, added: [] };
    };
    return statuses[this.toy.perform({ ...context, ...action() } as Step)];
  }
}

const holdersOf = (toy: ToyCluster) =>
  toy.groups.flatMap(({ voters, learners }) => [...voters, ...learners].map(({ node }) => node));

describe('the rebalancer', () => {
  it('makes a node that joins active, and moves to it what it should hold', async () => {
    const scene = new Scene(3);
    await scene.world.run(10_000);
    expect(scene.asked).toBeLessThanOrEqual(shardCount);
    scene.toy.nodes.push({ ...newNode(3), state: 'joining' });
    await scene.world.until('it is active', () => scene.toy.nodes[3]?.state === 'active', 3_000);
    await scene.world.until('moves', () => scene.first.moves().length > 0, 5_000);
    const [move] = scene.first.moves();
    expect(move).toMatchObject({ reason: 'balance', to: ['node-3'], bytes: 1_000_000 });
    expect(move?.from).toHaveLength(1);
    await scene.untilReached();
    const fairShare = (shardCount * 3) / 4;
    const held = holdersOf(scene.toy).filter((node) => node === 'node-3').length;
    expect(held).toBeGreaterThanOrEqual(fairShare - 2);
    expect(scene.toy.created).toBe(held);
    const events = scene.first.events();
    expect(events[0]).toMatchObject({ kind: 'node-state', message: 'n3 is active' });
    expect(events.filter(({ kind }) => kind === 'moved')).toHaveLength(held);
    expect(events.at(-1)?.message).toMatch(/^group \d has moved from n\d to n3$/);
  });

  it('estimates the time left from the moves before', async () => {
    const scene = new Scene(3);
    scene.toy.nodes.push(newNode(3));
    await scene.world.until('one is done', () => {
      return scene.first.events().some(({ kind }) => kind === 'moved');
    });
    const [move] = scene.first.moves();
    expect(move?.decidedAtMs).toBeGreaterThan(0);
    expect(move?.msLeft).toBeGreaterThanOrEqual(0);
    expect(move?.msLeft).toBeLessThan(20_000);
  });

  it('lets a node that leaves go when it holds nothing', async () => {
    const scene = new Scene(4);
    const leaving = scene.toy.nodes[2] as ToyNode;
    leaving.state = 'leaving';
    await scene.untilReached();
    await scene.world.until('it is gone', () => leaving.state === 'gone', 5_000);
    expect(holdersOf(scene.toy)).not.toContain(leaving.id);
  });

  it('gives up a node that has failed for so long, repairs what it held, and says when', async () => {
    const scene = new Scene(4);
    await scene.world.run(5_000);
    const created = scene.toy.created;
    const failedAtMs = scene.world.nowMs;
    const lost = scene.fail(3);
    await scene.world.run(deadAfterMs);
    expect(scene.toy.created).toBe(created);
    await scene.world.until('it is dead', () => lost.state === 'dead', 20_000);
    const deadAtMs = scene.world.nowMs;
    await scene.untilReached();
    await scene.world.until('it is gone', () => String(lost.state) === 'gone', 5_000);
    const repairs = scene.first.events().filter(({ reason }) => reason === 'repair');
    expect(repairs.length).toBeGreaterThan(0);
    const { detectedAtMs = 0, decidedAtMs = 0, repairedAtMs = 0 } = repairs[0] ?? {};
    expect(decidedAtMs - detectedAtMs).toBeGreaterThanOrEqual(deadAtMs - failedAtMs);
    expect(repairedAtMs).toBeGreaterThan(decidedAtMs);
  });

  it('keeps the place of one of three that has failed until another node comes', async () => {
    const scene = new Scene(3);
    const lost = scene.fail(2);
    await scene.world.run(3 * deadAfterMs);
    expect(lost.state).toBe('active');
    scene.toy.nodes.push(newNode(3));
    await scene.world.until('it is dead', () => lost.state === 'dead', 20_000);
    await scene.untilReached();
  });

  it('takes nobody for dead when half of the nodes are silent, or a group has no leader', async () => {
    const half = new Scene(2);
    half.fail(1);
    await half.world.run(3 * deadAfterMs);
    expect(half.toy.nodes[1]?.state).toBe('active');

    const five = new Scene(5);
    for (const index of [3, 4]) five.fail(index);
    await five.world.run(3 * deadAfterMs);
    const isLed = five.toy.truths().length === five.toy.groups.length;
    expect(isLed).toBe(false);
    expect(five.toy.nodes.map(({ state }) => state)).toEqual(Array(5).fill('active'));
  });

  it('takes nobody for dead who comes back in time', async () => {
    const scene = new Scene(3);
    for (let times = 0; times < 3; times++) {
      const node = scene.fail(2);
      await scene.world.run(deadAfterMs - 5_000);
      node.isUp = true;
      await scene.world.run(3_000);
      expect(node.state).toBe('active');
    }
    expect(scene.toy.created).toBe(0);
  });

  it('replaces suspects', async () => {
    const scene = new Scene(3);
    await scene.world.run(5_000);
    for (const { voters } of scene.toy.groups) {
      for (const replica of voters) if (replica.node === 'node-1') replica.isSuspect = true;
    }
    await scene.untilReached();
    expect(scene.toy.created).toBe(shardCount + 1);
    const moved = scene.first.events().filter(({ kind }) => kind === 'moved');
    expect(moved.every(({ reason }) => reason === 'repair')).toBe(true);
    expect(moved[0]?.message).toMatch(/from n1 to n1$/);
  });

  it('goes on where requests, replies and the leader of meta are lost', async () => {
    const scene = new Scene(3);
    scene.loses = (call) =>
      (['request', 'reply', 'nothing', 'nothing'] as const)[call % 4] ?? 'nothing';
    scene.toy.nodes.push(newNode(3));
    await scene.world.run(12_000);
    expect(scene.first.moves().length).toBeGreaterThan(0);
    scene.leadsMeta = 1;
    await scene.world.run(1_000);
    expect(scene.first.moves()).toEqual([]);
    await scene.untilReached();
    expect(scene.rebalancers[1]?.events().length).toBeGreaterThan(0);
    expect(scene.toy.created).toBe(holdersOf(scene.toy).filter((node) => node === 'node-3').length);
  });

  it('asks a leader that refused again, but not at once', async () => {
    const scene = new Scene(3);
    await scene.world.run(5_000);
    scene.toy.nodes.push(newNode(3));
    const { asked } = scene;
    const perform = scene.toy.perform.bind(scene.toy);
    scene.toy.perform = () => 'not-ready';
    await scene.world.run(10_000);
    expect(scene.asked - asked).toBeGreaterThanOrEqual(4);
    expect(scene.asked - asked).toBeLessThanOrEqual(14);
    expect(scene.first.events().at(-1)?.message).toMatch(/a replica has not caught up$/);
    scene.toy.perform = perform;
    await scene.untilReached();
  });

  it('asks for nothing before every node has told what it leads', async () => {
    const scene = new Scene(3);
    scene.toy.nodes.push(newNode(3));
    await scene.world.run(2_500);
    expect(scene.asked).toBe(0);
    await scene.world.run(1_000);
    expect(scene.asked).toBeGreaterThan(0);
  });

  it('does nothing where it does not lead meta', async () => {
    const scene = new Scene(3);
    scene.leadsMeta = 2;
    scene.toy.nodes.push(newNode(3));
    await scene.world.run(60_000);
    expect(scene.asked).toBe(0);
  });
});
