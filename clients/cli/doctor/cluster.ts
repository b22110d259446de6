import type { StatusDocument } from '../status-document.ts';
import { formatDuration } from '../table.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What one node has answered. */
export interface NodeAnswer {
  readonly status: StatusDocument;
  /** From the question to the answer. */
  readonly tookMs: number;
  /** Its clock against that of this machine, to half of that. */
  readonly aheadMs: number;
}

/** What is known of a cluster after every node was asked. */
export interface ClusterAnswers {
  /** Not empty. The first was asked first. */
  readonly nodes: readonly NodeAnswer[];
  readonly silent: readonly { readonly node: string; readonly why: string }[];
  /** Why a client cannot be connected to a node over MQTT; undefined: it can. By the names of nodes. */
  readonly mqttProblems: ReadonlyMap<string, string | undefined>;
}

/** Heartbeats come once a second. */
const SILENCE_MS = 5_000;
/** Times of values come from these clocks; the alert `clock-skew` begins at a minute. */
const CLOCK_APART_MS = 1_000;
const CLOCK_TOO_FAR_APART_MS = 60_000;

export function judgeCluster(answers: ClusterAnswers, ownVersion: string): Finding[] {
  const [first] = answers.nodes;
  if (first === undefined) return [];
  return [
    judgeState(first.status),
    ...judgeReach(answers, first.status),
    judgeHearing(answers.nodes),
    judgeClocks(answers.nodes),
    judgeVersions(first.status, ownVersion),
    ...judgeAlerts(first.status),
  ];
}

function judgeState({ cluster, nodes, shards }: StatusDocument): Finding {
  const { state, durability } = cluster;
  const count = shards.filter(({ kind }) => kind === 'shard').length;
  const said = `${state}: ${nodes.length} nodes, ${count} shards; a PUBACK means ${durability.copies} of ${durability.replicas} copies`;
  switch (state) {
    case 'ok':
      return ok('cluster', said);
    case 'degraded':
      return warning('cluster', said, 'Start the nodes that are missing: dss status names them.');
    case 'no-quorum':
      return problem(
        'cluster',
        said,
        'Start enough nodes that most replicas of each shard are there; if they are lost for ever: dss recover.',
      );
    case 'forming':
      return warning(
        'cluster',
        'the node has not joined a cluster yet',
        'Start the other nodes that it waits for, with the same secret.',
      );
  }
}

/** From this machine, as a client, at both doors. */
function judgeReach({ nodes, silent, mqttProblems }: ClusterAnswers, first: StatusDocument) {
  const reached = nodes.map(({ status, tookMs }) => {
    const { name, mqtt, http } = status.node;
    const why = mqttProblems.get(name);
    if (why === undefined) {
      return ok('reach', `${name}: MQTT at ${mqtt} and HTTP at ${http} answer (${tookMs} ms)`);
    }
    const advice = `See whether a firewall lets this machine through to ${mqtt}, and whether you have a user and the CA.`;
    return problem('reach', `${name}: HTTP at ${http} answers, MQTT does not: ${why}`, advice);
  });
  const others = silent.map(({ node, why }) => {
    const row = first.nodes.find(({ name }) => name === node);
    const at = row?.http ?? row?.mqtt ?? 'its address';
    const advice = `Start ${node}, or see whether a firewall lets this machine through to ${at}; what it is to others is its --advertise.`;
    return problem('reach', `${node}: ${why}`, advice);
  });
  return [...reached, ...others];
}

/** Between nodes, in both directions: each tells whom it hears. */
function judgeHearing(nodes: readonly NodeAnswer[]): Finding {
  const deaf = nodes.flatMap(({ status }) =>
    status.nodes
      .filter(({ id, state }) => id !== status.node.id && state !== 'dead')
      .filter(({ lastHeardMs }) => lastHeardMs === null || lastHeardMs > SILENCE_MS)
      .map(({ name, mqtt, lastHeardMs }) => ({ by: status.node.name, name, mqtt, lastHeardMs })),
  );
  const [one] = deaf;
  if (one === undefined) return ok('between-nodes', 'every node hears all others');
  const said = deaf.map(({ by, name, lastHeardMs }) => {
    const since = lastHeardMs === null ? '' : ` for ${formatDuration(lastHeardMs)}`;
    return `${by} hears nothing of ${name}${since}`;
  });
  return problem(
    'between-nodes',
    said.join('; '),
    `See whether ${one.name} runs, and whether the machine of ${one.by} gets through to ${one.mqtt}, and the other way round.`,
  );
}

function judgeClocks(nodes: readonly NodeAnswer[]): Finding {
  const ahead = nodes.map(({ aheadMs }) => aheadMs);
  // This machine counts: the next node may run here.
  const apartMs = Math.max(0, ...ahead) - Math.min(0, ...ahead);
  const offsets = nodes.map(
    ({ status, aheadMs }) => `${status.node.name} ${formatOffset(aheadMs)}`,
  );
  const said = `against this machine: ${offsets.join(', ')}`;
  if (apartMs < CLOCK_APART_MS) return ok('clocks', said);
  const judge = apartMs < CLOCK_TOO_FAR_APART_MS ? warning : problem;
  return judge(
    'clocks',
    said,
    'Have all machines keep time (chrony or systemd-timesyncd): times of values and expiry come from their clocks.',
  );
}

function formatOffset(aheadMs: number): string {
  const sign = aheadMs < 0 ? '−' : '+';
  const size = Math.abs(aheadMs);
  return size < 10_000 ? `${sign}${size} ms` : `${sign}${formatDuration(size)}`;
}

function judgeVersions({ nodes }: StatusDocument, ownVersion: string): Finding {
  const known = nodes.flatMap(({ name, version }) => (version === null ? [] : [{ name, version }]));
  const versions = new Set([...known.map(({ version }) => version), ownVersion]);
  if (versions.size === 1) return ok('versions', `${ownVersion}, of all nodes and here`);
  const said = known.map(({ name, version }) => `${name} ${version}`).join(', ');
  return warning(
    'versions',
    `they differ: ${said}; here ${ownVersion}`,
    'Bring all of them to the same version, one node after the other.',
  );
}

function judgeAlerts({ alerts }: StatusDocument): Finding[] {
  if (alerts.length === 0) return [ok('alerts', 'none')];
  return alerts.map(({ severity, message, advice }) => {
    const judge = severity === 'critical' ? problem : warning;
    return judge('alerts', message, advice);
  });
}
