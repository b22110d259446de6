import { describe, expect, it } from 'vitest';
import type { StorageEngine } from '../../../lsm/engine.ts';
import type { Log } from '../../../lsm/log/log.ts';
import type { NodeDataPlane } from '../../../node/dataplane/data-plane.ts';
import { ShardMap } from '../../../node/dataplane/shard-map.ts';
import { createGenesis } from '../../../node/membership/genesis.ts';
import type { Members } from '../../../node/membership/members.ts';
import { EntryKind } from '../../../node/raft/types.ts';
import { Retention } from '../../../node/retention/retention.ts';
import { metaGroup } from '../../../node/ring/slots.ts';
import { EMPTY_SETTINGS } from '../../../node/settings/settings.ts';
import type { SettingsService } from '../../../node/settings/settings-service.ts';
import type { ShardHost } from '../../../node/shard/host.ts';
import type { RecordOutcome } from '../../../node/shard/replica.ts';
import { MetaGroup } from '../../../node/upkeep/meta-group.ts';
import { RetentionUpkeep } from '../../../node/upkeep/retention-upkeep.ts';
import { Upkeep } from '../../../node/upkeep/upkeep.ts';
import { FakeEnv } from '../fake-env.ts';

const GROUP = 1;
const KNOWN = { ...EMPTY_SETTINGS, revision: 7 };

/** A host of at most one replica of a group. */
class FakeHost {
  current: object | undefined;
  isServing = true;
  readonly host = {
    replica: () => (this.isServing ? this.current : undefined),
    replicas: () => [this.current].filter((replica) => replica !== undefined).values(),
    touch: () => {},
  } as unknown as ShardHost;
}

/** A leader that takes proposals and never decides them. */
function leaderOf(group: number) {
  const proposed: number[] = [];
  return {
    proposed,
    identity: { group, firstSlot: 0, slotCount: 256 },
    raft: { lastIndex: 5 },
    state: { retention: Retention.initial },
    nextVersion: () => 1_000,
    proposeRecord: (kind: number) => {
      proposed.push(kind);
      return new Promise<RecordOutcome>(() => {});
    },
  };
}

describe('what a leader does about retention', () => {
  const upkeepOf = (host: FakeHost) =>
    new RetentionUpkeep({
      env: new FakeEnv().env,
      host: host.host,
      settings: () => KNOWN,
      settledBefore: () => 0,
      pressure: () => 0,
      oldest: () => 0,
    });

  it('is not held up by what an earlier replica of the group left undecided', () => {
    const host = new FakeHost();
    const upkeep = upkeepOf(host);
    const [first, second] = [leaderOf(GROUP), leaderOf(GROUP)];
    host.current = first;
    upkeep.tick();
    upkeep.tick();
    expect(first.proposed, 'one at a time').toEqual([EntryKind.rules]);
    host.current = second;
    upkeep.tick();
    expect(second.proposed).toEqual([EntryKind.rules]);
  });

  it('is nothing while the replica does not serve', () => {
    const host = new FakeHost();
    const upkeep = upkeepOf(host);
    const replica = leaderOf(GROUP);
    host.current = replica;
    host.isServing = false;
    upkeep.tick();
    expect(replica.proposed).toEqual([]);
    host.isServing = true;
    upkeep.tick();
    expect(replica.proposed).toEqual([EntryKind.rules]);
  });
});

describe('the meta group on a node', () => {
  it('tells no settings of a new replica before that has caught up', () => {
    const host = new FakeHost();
    const meta = new MetaGroup(host.host);
    const replicaIn = (term: number) => ({
      identity: { group: metaGroup, firstSlot: 0, slotCount: 0 },
      leaderNode: 'a',
      raft: { term, termAt: () => 3 },
      state: { appliedIndex: 5, settings: KNOWN },
    });
    host.current = replicaIn(3);
    expect(meta.settings).toBe(KNOWN);
    host.current = undefined;
    expect(meta.settings).toBeUndefined();
    host.current = replicaIn(4);
    expect(meta.settings, 'what it has applied is of an earlier term').toBeUndefined();
  });
});

describe('a node that is full', () => {
  it('has puts refused to the shards that it is reported to have, and to no others', () => {
    const world = new FakeEnv();
    const nodes = ['a', 'b', 'c'].map((node) => ({ node, name: node, mqttAddress: '' }));
    const genesis = { clusterId: 'x', nowMs: 1, replicationFactor: 3, shardCount: 2, nodes };
    const members = {
      has: () => true,
      others: () => ['b', 'c', 'd'],
      stateOf: () => 'active',
      heartbeatOf: (node: string) => ({ storageFull: node === 'd' }),
    };
    const map = new ShardMap(createGenesis(genesis), members);
    let full: ReadonlySet<number> = new Set();
    const upkeep = new Upkeep({
      env: world.env,
      host: new FakeHost().host,
      engine: { diskBytes: 0 } as StorageEngine,
      log: { diskBytes: 0 } as Log,
      map,
      members: members as unknown as Members,
      dataPlane: {
        storageFull: (groups: ReadonlySet<number>) => {
          full = groups;
        },
      } as unknown as NodeDataPlane,
      settings: { current: KNOWN } as unknown as SettingsService,
      storageMaxBytes: 0,
    });
    upkeep.start();
    world.pass(1_000);
    expect([...full]).toEqual([]);
    const places = ['a', 'b', 'd'].map((node) => ({ node, role: 'voter' as const }));
    map.report(2, { node: 'a', term: 3, configuration: { index: 9, places } });
    world.pass(1_000);
    expect([...full]).toEqual([2]);
    upkeep.stop();
  });
});
