import { formatTable } from '../clients/cli/table.ts';
import type { DssRound, IngestResult, MosquittoRound } from './ingest.ts';

const columns = [
  { title: 'ROUND' },
  { title: 'BROKER' },
  { title: 'MSG/S', right: true },
  { title: 'RATIO', right: true },
  { title: 'P50 MS', right: true },
  { title: 'P99 MS', right: true },
  { title: 'MAX MS', right: true },
  { title: 'ROUNDS/S·NODE', right: true },
  { title: 'SYNCS/S·NODE', right: true },
  { title: 'CPU µs/MSG·NODE', right: true },
  { title: 'LOAD CPU', right: true },
];

export function formatIngest(result: IngestResult): string {
  const { machine, workload, rounds, mosquittoVersion } = result;
  const { clients, inflight, valueBytes, keys, seconds } = workload;
  const ours = rounds.map((round) => round.dss);
  const theirs = rounds.flatMap((round) => (round.mosquitto ? [round.mosquitto] : []));
  const rows = rounds.flatMap(({ dss, mosquitto }, index) => [
    dssRow(String(index + 1), dss, mosquitto),
    ...(mosquitto ? [mosquittoRow(String(index + 1), mosquitto)] : []),
  ]);
  const median = medianDss(ours);
  const medianPeer = theirs.length > 0 ? medianMosquitto(theirs) : null;
  rows.push(dssRow('median', median, medianPeer));
  if (medianPeer) rows.push(mosquittoRow('median', medianPeer));
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `${clients} connections × ${inflight} in flight, QoS 1, ${valueBytes} bytes, ${keys} keys, ${seconds} s per round`,
    'DSS: three nodes, fsync on a quorum before each PUBACK. ' +
      (mosquittoVersion ? `${mosquittoVersion}: one node, in memory.` : 'No Mosquitto here.'),
    '',
    formatTable(columns, rows),
    '',
    'LOAD CPU is the share of one core that the load generator used: near 100 % it is the limit.',
  ].join('\n');
}

function dssRow(round: string, dss: DssRound, peer: MosquittoRound | null): string[] {
  const perNode = (pick: (node: DssRound['nodes'][number]) => number, digits: number): string =>
    dss.nodes.map((node) => pick(node).toFixed(digits)).join(' ');
  return [
    round,
    'dss',
    Math.round(dss.perSecond).toLocaleString('en'),
    peer ? (dss.perSecond / peer.perSecond).toFixed(2) : '-',
    dss.p50Ms.toFixed(2),
    dss.p99Ms.toFixed(2),
    dss.maxMs.toFixed(1),
    perNode((node) => node.roundsPerSecond, 0),
    perNode((node) => node.syncsPerSecond, 0),
    perNode((node) => node.cpuMicrosPerMessage, 2),
    percent(dss.cpuShare),
  ];
}

function mosquittoRow(round: string, peer: MosquittoRound): string[] {
  return [
    round,
    'mosquitto',
    Math.round(peer.perSecond).toLocaleString('en'),
    '',
    peer.p50Ms.toFixed(2),
    peer.p99Ms.toFixed(2),
    peer.maxMs.toFixed(1),
    '',
    '',
    peer.cpuMicrosPerMessage.toFixed(2),
    percent(peer.cpuShare),
  ];
}

function medianDss(rounds: readonly DssRound[]): DssRound {
  const first = rounds[0] as DssRound;
  const nodes = first.nodes.map(({ name }, index) => {
    const of = (pick: (node: DssRound['nodes'][number]) => number): number =>
      median(rounds.map((round) => pick(round.nodes[index] as DssRound['nodes'][number])));
    return {
      name,
      roundsPerSecond: of((node) => node.roundsPerSecond),
      syncsPerSecond: of((node) => node.syncsPerSecond),
      cpuMicrosPerMessage: of((node) => node.cpuMicrosPerMessage),
    };
  });
  return { ...medianLoad(rounds), nodes };
}

function medianMosquitto(rounds: readonly MosquittoRound[]): MosquittoRound {
  const cpuMicrosPerMessage = median(rounds.map((round) => round.cpuMicrosPerMessage));
  return { ...medianLoad(rounds), cpuMicrosPerMessage };
}

function medianLoad(rounds: readonly (DssRound | MosquittoRound)[]) {
  return {
    messages: median(rounds.map((round) => round.messages)),
    seconds: median(rounds.map((round) => round.seconds)),
    perSecond: median(rounds.map((round) => round.perSecond)),
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
    maxMs: median(rounds.map((round) => round.maxMs)),
    cpuShare: median(rounds.map((round) => round.cpuShare)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
