import type { AlertFacts, GroupProblem, NodeFacts } from './facts.ts';
import { CLUSTER, type RuleName } from './rules.ts';

/** How things are with one subject of one rule. */
export interface Measurement {
  readonly rule: RuleName;
  /** A node by its name, a group, a client id, a source or sink; or the cluster. */
  readonly subject: string;
  /** Compared with the threshold of the rule, if it has one. */
  readonly value: number;
  /** What is, as a sentence. */
  readonly message: string;
}

/** Everything that could be an alert; whether it is one, its rule decides. */
export function measure(facts: AlertFacts): Measurement[] {
  const heard = facts.nodes.filter(({ isFailed }) => !isFailed);
  return [
    ...facts.nodes
      .filter(({ isFailed }) => isFailed)
      .map(({ name }) => holds('node-failed', name, `Nothing is heard of ${name} any more.`)),
    ...ofGroups(facts),
    ...heard.flatMap(ofNode),
    ...ofClocks(heard),
    ...ofOwn(facts),
    ...facts.links.map(({ name, message }) => holds('link-down', name, message)),
  ];
}

function ofGroups({ groups, replicasWanted }: AlertFacts): Measurement[] {
  const leaderless = groups.filter(({ isLed }) => !isLed).map(({ group }) => group);
  const lacking = groups.filter(({ replicas }) => replicas < replicasWanted);
  const fewest = Math.min(...lacking.map(({ replicas }) => replicas));
  const of = `of ${groups.length} groups`;
  const measurements: Measurement[] = [];
  if (leaderless.length > 0) {
    const message = `${leaderless.length} ${of} have no leader, and their keys can be neither written nor read: ${listed(leaderless)}.`;
    measurements.push(holds('shard-without-quorum', CLUSTER, message));
  }
  if (lacking.length > 0) {
    const message = `${lacking.length} ${of} have fewer than ${replicasWanted} replicas that are there (${fewest} at least): ${listed(lacking.map(({ group }) => group))}.`;
    measurements.push(holds('under-replicated', CLUSTER, message));
  }
  return measurements;
}

function ofNode(node: NodeFacts): Measurement[] {
  const { name } = node;
  const measurements: Measurement[] = [];
  const share = (rule: RuleName, used: number | undefined, max: number, what: string) => {
    if (used === undefined || max === 0) return;
    const value = (100 * used) / max;
    const message = `${what} ${Math.round(value)} % (${size(used)} of ${size(max)}).`;
    measurements.push({ rule, subject: name, value, message });
  };
  const delay = (rule: RuleName, value: number | undefined, what: string) => {
    if (value === undefined) return;
    const message = `${what} ${Math.round(value)} ms in one of a hundred cases.`;
    measurements.push({ rule, subject: name, value, message });
  };
  if (node.isStorageFull) {
    const message = `${name} has used up its budget for storage: puts to its shards are refused.`;
    measurements.push(holds('storage-full', name, message));
  }
  share(
    'disk-over-budget',
    node.storageUsedBytes,
    node.storageMaxBytes,
    `${name} uses of its budget for storage`,
  );
  share('disk-nearly-full', node.diskUsedBytes, node.diskTotalBytes, `The disk of ${name} is used`);
  share(
    'memory-over-budget',
    node.memoryBytes,
    node.memoryMaxBytes,
    `${name} uses of the memory that it may have`,
  );
  delay('loop-delay', node.loopDelayP99Ms, `The event loop of ${name} is late by`);
  delay('commit-latency', node.commitP99Ms, `Puts at ${name} are committed after`);
  return measurements;
}

/** Against the clock in the middle, so that all nodes name the same one. */
function ofClocks(nodes: readonly NodeFacts[]): Measurement[] {
  const clocks = nodes.flatMap(({ name, clockAheadMs }) =>
    clockAheadMs === undefined ? [] : [{ name, clockAheadMs }],
  );
  const sorted = clocks.map(({ clockAheadMs }) => clockAheadMs).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return clocks.map(({ name, clockAheadMs }) => {
    const seconds = (clockAheadMs - median) / 1_000;
    const message = `The clock of ${name} is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} those of the others.`;
    return { rule: 'clock-skew', subject: name, value: Math.abs(seconds), message };
  });
}

function ofOwn({ own }: AlertFacts): Measurement[] {
  const { node, suspects, halted, damaged, differing, droppedPerMinute, fights } = own;
  const inGroups = (rule: RuleName, problems: readonly GroupProblem[], what: string) => {
    const [first] = problems;
    if (first === undefined) return [];
    const groups = problems.map(({ group }) => group);
    const message = `${what} on ${node}, of ${groups.length === 1 ? 'group' : 'groups'} ${listed(groups)}: ${first.reason}.`;
    return [holds(rule, node, message)];
  };
  return [
    ...inGroups('replica-suspect', suspects, 'Replicas that cannot be trusted'),
    ...inGroups('replica-halted', halted, 'Replicas that cannot go on'),
    ...inGroups('table-damaged', damaged, 'Some values cannot be read'),
    ...differing.map(({ group, message }) => holds('replica-differs', String(group), message)),
    ...fights.map(({ clientId, message }) => holds('client-id-fought-over', clientId, message)),
    {
      rule: 'messages-dropped',
      subject: node,
      value: droppedPerMinute,
      message: `${node} has dropped ${droppedPerMinute} ordinary messages in a minute.`,
    },
  ];
}

function holds(rule: RuleName, subject: string, message: string): Measurement {
  return { rule, subject, value: 1, message };
}

const LISTED_MAX = 8;

function listed(groups: readonly number[]): string {
  const names = groups.slice(0, LISTED_MAX).map((group) => (group === 0 ? '0 (meta)' : group));
  const more = groups.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

function size(bytes: number): string {
  return bytes < 10 * GIB ? `${Math.round(bytes / MIB)} MiB` : `${Math.round(bytes / GIB)} GiB`;
}
