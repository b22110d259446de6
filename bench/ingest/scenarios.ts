import type { BatchShape } from '../load/load-frames.ts';

/** What is published, by whom, to which cluster. */
export interface Scenario {
  readonly name: string;
  /** What is not as in the headline. */
  readonly differs: string;
  readonly clients: number;
  readonly inflight: number;
  readonly qos: 0 | 1;
  readonly valueBytes: number;
  readonly keys: number;
  /** The exponent of Zipf's law by which keys are chosen; 0: all alike. */
  readonly skew: number;
  /** All clients are connected to the first node. */
  readonly isOneSided: boolean;
  /** Of values, on 20 connections. */
  readonly subscriptions: number;
  readonly replicationFactor: number;
  readonly shards: number;
  readonly engine: 'lsm' | 'classic-level';
  /** What each message is, if not a put; DSS only. */
  readonly batch?: BatchShape;
}

export const HEADLINE: Scenario = {
  name: 'headline',
  differs: '',
  clients: 48,
  inflight: 20,
  qos: 1,
  valueBytes: 64,
  keys: 5_000,
  skew: 0,
  isOneSided: false,
  subscriptions: 0,
  replicationFactor: 3,
  shards: 16,
  engine: 'lsm',
};

/** The headline's, and eleven that each differ from it in one thing. */
export const SCENARIOS: readonly Scenario[] = [
  HEADLINE,
  differing('one', '1 client × 1', { clients: 1, inflight: 1 }),
  differing('pipeline', '1 client × 100', { clients: 1, inflight: 100 }),
  differing('many', '500 clients × 20', { clients: 500 }),
  differing('qos0', 'QoS 0', { qos: 0 }),
  differing('large', '1,024 bytes', { valueBytes: 1_024 }),
  differing('skewed', '100,000 series, skewed', { keys: 100_000, skew: 1 }),
  differing('one-node', 'all clients at one node', { isOneSided: true }),
  differing('rf1', 'one copy', { replicationFactor: 1 }),
  differing('shards', '64 shards', { shards: 64 }),
  differing('classic-level', 'tables in LevelDB', { engine: 'classic-level' }),
  differing('values', '1,000 subscriptions to values', { subscriptions: 1_000 }),
];

/** One node leads everything and the others only follow, so that what each of these costs can be told apart. */
const ONE_SHARD = differing('one-shard', 'one node leads all', { shards: 1 });
const NAMED = [...SCENARIOS, ONE_SHARD];

function differing(name: string, differs: string, changes: Partial<Scenario>): Scenario {
  return { ...HEADLINE, ...changes, name, differs };
}

/** @throws when there is none of that name */
export function scenariosNamed(names: string): readonly Scenario[] {
  if (names === 'all') return SCENARIOS;
  return names.split(',').map((name) => {
    const found = NAMED.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const known = NAMED.map((scenario) => scenario.name).join(', ');
    throw new Error(`there is no scenario "${name}"; known are all, ${known}`);
  });
}
