import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_INGEST_LIMITS } from '../../../broker/ingest-rules/ingest-message.ts';
import { Beside, type BesideCluster } from '../../../node/beside/beside.ts';
import type { Link } from '../../../node/beside/link.ts';
import { linkStates, linksDown } from '../../../node/beside/link-states.ts';
import { HEARTBEAT_MS, Members } from '../../../node/membership/members.ts';
import { EMPTY_SETTINGS, type Settings } from '../../../node/settings/settings.ts';
import { cluster, decode, encode } from '../../../protos/index.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { nodeRow } from '../settings/node-rows.ts';
import { FakeBrokers, target } from './fake-brokers.ts';

const link: Link = { kind: 'sink', name: 'office', target, filter: '#', topicPrefix: '' };
const ids = ['a', 'b', 'c'];

/** One clock, one document of settings, and three nodes that hear each other's heartbeats, or not. */
class Trio {
  readonly fake = new FakeEnv();
  settings: Settings = { ...EMPTY_SETTINGS, revision: 1 };
  leader = 'a';
  readonly #listeners = new Set<(settings: Settings) => void>();
  /** What they say reaches nobody. */
  readonly mute = new Set<string>();
  readonly nodes = new Map(
    ids.map((node) => {
      const brokers = new FakeBrokers();
      const { env } = this.fake;
      const rows = ids.map((id) => nodeRow(id, { name: `name of ${id}` }));
      const members = new Members({ own: node, nodes: rows, clock: env.clock });
      const beside = new Beside({ env, links: [link], brokers, limits: DEFAULT_INGEST_LIMITS });
      return [node, { brokers, members, beside }];
    }),
  );

  node(id: string) {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  start(): void {
    this.#beat();
    for (const [own, { beside, members }] of this.nodes) {
      beside.start({
        ...{ clusterId: 'cluster', own, members, dataPlane: new FakeDataPlane() },
        settings: this.#service(),
        leadsMeta: () => this.leader === own,
      });
    }
  }

  /** Seconds in which everybody beats, and changes of the settings are made. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      this.#beat();
      this.fake.pass(HEARTBEAT_MS);
      await settled();
    }
  }

  /** Nodes with a connection that is open. */
  get holders(): string[] {
    return ids.filter((id) => this.node(id).brokers.connections.some(({ isClosed }) => !isClosed));
  }

  #service(): BesideCluster['settings'] {
    const trio = this;
    return {
      get current() {
        return trio.settings;
      },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      change: async (edit) => {
        const { settings = this.settings } = edit(this.settings);
        this.settings = { ...settings, revision: this.settings.revision + 1 };
        for (const listener of this.#listeners) listener(this.settings);
        return { kind: 'settled', settings: this.settings };
      },
    };
  }

  #beat(): void {
    for (const [from, { beside }] of this.nodes) {
      const links = beside.reports();
      const bytes = encode(cluster.Heartbeat, { clockMs: this.fake.env.clock.nowMs(), links });
      const heartbeat = decode(cluster.Heartbeat, bytes);
      for (const [to, { members }] of this.nodes) {
        if (to === from || !(this.mute.has(from) || this.mute.has(to))) {
          members.heard(from, heartbeat);
        }
      }
    }
  }
}

describe('what is beside a cluster', () => {
  let trio: Trio;

  beforeEach(async () => {
    trio = new Trio();
    trio.start();
    await trio.pass(3);
  });

  it('is held by one node, under a client id that is that of the cluster', () => {
    expect(trio.holders).toEqual(['a']);
    expect(trio.settings.leases).toEqual([{ name: 'office', node: 'a' }]);
    expect(trio.node('a').brokers.last.options.clientId).toBe('dss-cluster-office');
  });

  it('is left where it is', async () => {
    const { revision } = trio.settings;
    await trio.pass(60);
    expect(trio.settings.revision).toBe(revision);
    expect(trio.node('a').brokers.connections).toHaveLength(1);
  });

  it('is let go by a node that hears nobody, before another one takes it', async () => {
    trio.leader = 'b';
    trio.mute.add('a');
    const seen: string[] = [];
    for (let second = 0; second < 20; second += 1) {
      await trio.pass(1);
      const now = trio.holders.join('+');
      if (seen.at(-1) !== now) seen.push(now);
    }
    expect(seen).toEqual(['a', '', 'b']);
  });

  it('is given out by nobody who does not lead, and not before the first settings', async () => {
    const other = new Trio();
    other.settings = EMPTY_SETTINGS;
    other.start();
    await other.pass(3);
    expect(other.settings).toBe(EMPTY_SETTINGS);
    other.settings = { ...EMPTY_SETTINGS, revision: 1 };
    other.leader = '';
    await other.pass(3);
    expect(other.holders).toEqual([]);
  });

  it('is told of by every node', async () => {
    const facts = () => ({
      leases: trio.settings.leases,
      members: trio.node('c').members.list(),
    });
    expect(linksDown(facts())).toEqual([]);
    trio.node('a').brokers.last.events.closed('connect ECONNREFUSED');
    await trio.pass(1);
    expect(linkStates(facts())).toEqual([
      {
        ...{ name: 'office', kind: 'sink', url: 'mqtt://other:1883', holder: 'name of a' },
        ...{ connected: false, messages: 0, ignored: 0, error: 'connect ECONNREFUSED' },
      },
    ]);
    expect(linksDown(facts())).toMatchObject([
      { name: 'office', message: expect.stringContaining('connect ECONNREFUSED') },
    ]);

    await trio.pass(5);
    trio.node('a').brokers.last.events.connected();
    await trio.pass(1);
    expect(linkStates(facts())).toMatchObject([{ connected: true, error: '' }]);
    expect(linksDown(facts())).toEqual([]);
  });

  it('is left when a node stops', () => {
    for (const { beside } of trio.nodes.values()) beside.stop();
    expect(trio.holders).toEqual([]);
    expect(trio.fake.timersPending).toBe(0);
  });
});
