import { describe, expect, it } from 'vitest';
import type { WriteSink } from '../../../broker/data-plane.ts';
import { NodeDataPlane } from '../../../node/dataplane/data-plane.ts';
import { rowToWire } from '../../../node/dataplane/map-codec.ts';
import type { Reads } from '../../../node/dataplane/reads.ts';
import { type Place, ShardMap } from '../../../node/dataplane/shard-map.ts';
import type { Watches } from '../../../node/dataplane/watches.ts';
import {
  FOLLOWING_BYTES_MIN,
  IN_FLIGHT_BATCHES_MAX,
  RESEND_AFTER_MS,
} from '../../../node/dataplane/write-stream.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';
import type { ForwardedBatch } from '../../../node/shard/entry.ts';
import type { ShardHost } from '../../../node/shard/host.ts';
import type { ForwardOutcome } from '../../../node/shard/replica.ts';
import type { RpcBody, RpcHub } from '../../../node/transport/rpc.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';
import { FakeEnv } from '../fake-env.ts';
import { utf8 } from '../support.ts';

const GROUP = 1;
const { ForwardStatus } = cluster;
const voters = (...nodes: string[]): Place[] => nodes.map((node) => ({ node, role: 'voter' }));

function mapOf(members: ReadonlySet<string>): ShardMap {
  const nodes = ['a', 'b', 'c'].map((node) => ({ node, name: node, mqttAddress: '' }));
  const genesis = { clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 1, nodes };
  return new ShardMap(createGenesis(genesis), {
    has: (node) => members.has(node),
    others: () => [...members].filter((node) => node !== 'self'),
  });
}

/** The data plane of the node `self`, which has no replica of its own unless it is given one. */
class Fixture {
  readonly world = new FakeEnv();
  readonly members: Set<string>;
  readonly map: ShardMap;
  readonly dataPlane: NodeDataPlane;
  readonly sent: { readonly node: string; readonly number: number }[] = [];
  readonly outcomes: string[] = [];
  replica:
    | { propose(batch: ForwardedBatch, done: (outcome: ForwardOutcome) => void): void }
    | undefined;
  readonly #sink: WriteSink = {
    writeCommitted: (token, version) => void this.outcomes.push(`${token} at ${version}`),
    writeFailed: (token, failure) => void this.outcomes.push(`${token} ${failure}`),
    writesDrained: () => {},
  };

  constructor(...members: string[]) {
    this.members = new Set(['self', 'a', 'b', 'c', ...members]);
    this.map = mapOf(this.members);
    const host = { replica: () => this.replica, touch: () => {} };
    const rpc = {
      newId: () => 1,
      post: (node: string, _channel: string, _id: number, { forwardRequest }: RpcBody) =>
        void this.sent.push({ node, number: forwardRequest?.number ?? 0 }),
    };
    this.dataPlane = new NodeDataPlane({
      own: { node: 'self', startCounter: 1 },
      env: this.world.env,
      host: host as unknown as ShardHost,
      map: this.map,
      rpc: rpc as unknown as RpcHub,
      reads: {} as Reads,
      watches: {} as Watches,
    });
  }

  /** In a batch of its own. */
  put(token: number): void {
    const bytes = utf8(`key${String(token).padEnd(FOLLOWING_BYTES_MIN)}`);
    this.dataPlane.write(this.#sink, token, bytes, 0, 3, 3, bytes.length);
    this.world.turn();
  }

  leads(node: string, term: number, ...replicas: string[]): void {
    this.dataPlane.leadsReported(node, [
      {
        group: GROUP,
        term,
        configurationIndex: term,
        replicas: replicas.map((each) => ({ node: each, role: cluster.ReplicaRole.VOTER })),
      },
    ]);
  }

  committed(from: string, number: number): void {
    const status = ForwardStatus.COMMITTED;
    this.#answer(from, { group: GROUP, number, status, baseVersion: number * 100 });
  }

  /** A refusal, with what the refusing node knows. */
  refused(from: string, number: number, knows?: ShardMap): void {
    const row = rowToWire(knows?.find(GROUP));
    this.#answer(from, { group: GROUP, number, status: ForwardStatus.NOT_LEADER, ...row });
  }

  #answer(from: string, reply: cluster.ForwardReply.$Properties): void {
    const arrived = decode(cluster.ForwardReply, encode(cluster.ForwardReply, reply));
    this.dataPlane.forwardAnswered(from, arrived);
  }

  /** What was sent since the last call, as `node:number`. */
  taken(): string[] {
    return this.sent.splice(0).map(({ node, number }) => `${node}:${number}`);
  }
}

describe('batches on their way to a leader', () => {
  it('go to the new one at once when it is reported, though it had no replica before', () => {
    const fixture = new Fixture('d');
    fixture.leads('a', 3, 'a', 'b', 'c');
    fixture.put(1);
    fixture.put(2);
    expect(fixture.taken()).toEqual(['a:1', 'a:2']);
    fixture.leads('d', 4, 'b', 'c', 'd');
    expect(fixture.taken()).toEqual(['d:1', 'd:2']);
    fixture.committed('d', 1);
    fixture.committed('d', 2);
    fixture.committed('a', 1);
    expect(fixture.outcomes).toEqual(['1 at 100', '2 at 200']);
  });

  it('are redirected once by a refusal that knows more', () => {
    const fixture = new Fixture('d');
    fixture.leads('a', 3, 'a', 'b', 'c');
    fixture.put(1);
    const better = mapOf(fixture.members);
    better.report(GROUP, {
      node: 'd',
      term: 4,
      configuration: { index: 9, places: voters('b', 'c', 'd') },
    });
    fixture.taken();
    fixture.refused('a', 1, better);
    expect(fixture.taken()).toEqual(['d:1']);
    expect(fixture.map.row(GROUP).replicas).toEqual(['b', 'c', 'd']);
  });

  it('are tried at every member in turn while all refuse, however many batches do', () => {
    const fixture = new Fixture('d');
    const numbers = Array.from({ length: IN_FLIGHT_BATCHES_MAX }, (_, i) => i + 1);
    for (const number of numbers) fixture.put(number);
    const tried: string[] = [];
    for (let round = 0; round < 4; round++) {
      const targets = new Set(fixture.sent.splice(0).map(({ node }) => node));
      expect(targets.size).toBe(1);
      const [target] = [...targets] as [string];
      tried.push(target);
      for (const number of numbers) fixture.refused(target, number);
      fixture.world.pass(100);
    }
    expect(tried.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are not held up by an answer of a node that was tried before', () => {
    const fixture = new Fixture();
    fixture.leads('a', 3, 'a', 'b', 'c');
    fixture.put(1);
    fixture.leads('b', 4, 'a', 'b', 'c');
    fixture.taken();
    fixture.refused('a', 1);
    fixture.world.pass(100);
    expect(fixture.taken()).toEqual(['b:1']);
  });

  it('go elsewhere when the node of the leader leaves the cluster', () => {
    const fixture = new Fixture('d');
    fixture.leads('d', 3, 'b', 'c', 'd');
    fixture.put(1);
    fixture.members.delete('d');
    fixture.taken();
    fixture.world.pass(RESEND_AFTER_MS);
    const [target] = fixture.taken();
    expect(['b:1', 'c:1']).toContain(target);
    fixture.committed(target?.slice(0, 1) ?? '', 1);
    expect(fixture.outcomes).toEqual(['1 at 100']);
  });

  it('leave a replica of this node that is taken away, and count once', () => {
    const fixture = new Fixture('d');
    const waiting: ((outcome: ForwardOutcome) => void)[] = [];
    fixture.replica = { propose: (_batch, done) => void waiting.push(done) };
    fixture.leads('self', 3, 'self', 'a', 'b');
    fixture.put(1);
    fixture.put(2);
    expect(waiting).toHaveLength(2);
    fixture.replica = undefined;
    for (const done of waiting) done({ kind: 'not-leader', leader: undefined });
    fixture.world.pass(100);
    expect(fixture.taken()).toEqual(['a:1', 'a:2']);
    fixture.leads('d', 4, 'a', 'b', 'd');
    expect(fixture.taken()).toEqual(['d:1', 'd:2']);
    fixture.committed('d', 2);
    expect(fixture.outcomes).toEqual(['1 at 0', '2 at 200']);
  });
});

describe('a batch that another node forwards', () => {
  it.each([GROUP, 99])('to where it does not belong is refused, group %s', (group) => {
    const fixture = new Fixture('d');
    fixture.leads('d', 4, 'b', 'c', 'd');
    const replies: RpcBody[] = [];
    const request = { group, number: 1, count: 1, crc: 0, batch: utf8('x') };
    fixture.dataPlane.serveForward({ node: 'b', startCounter: 1 }, request, (reply) =>
      replies.push(reply),
    );
    const [reply] = replies;
    expect(reply?.forwardReply?.status).toBe(ForwardStatus.NOT_LEADER);
    expect(reply?.forwardReply?.row?.leaderNode).toBe(group === GROUP ? 'd' : undefined);
  });
});
