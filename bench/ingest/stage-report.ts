import { fixed, left, type ReportTable, right } from '../report-table.ts';
import type { ScenarioResult } from './throughput.ts';

/** How long a message takes in each stage of our nodes; nothing where they do not count it. */
export function stageTables({ scenario, rounds }: ScenarioResult): ReportTable[] {
  const turns = rounds.flatMap((each) => each.filter(({ contender }) => contender === 'dss'));
  const nodes = turns[0]?.processes ?? [];
  const stages = nodes[0]?.stages?.map(({ stage }) => stage) ?? [];
  if (stages.length === 0) return [];
  const costOf = (
    stage: string,
    node: number,
    figure: 'microsPerMessage' | 'microsPerPassed',
  ): number => {
    const costs = turns.flatMap(
      ({ processes }) => processes[node]?.stages?.find((each) => each.stage === stage) ?? [],
    );
    return costs.reduce((sum, cost) => sum + cost[figure], 0) / costs.length;
  };
  const rows = stages.map((stage) => [
    stage,
    ...nodes.map((_, node) => fixed(costOf(stage, node, 'microsPerMessage'), 3)),
    ...nodes.map((_, node) => fixed(costOf(stage, node, 'microsPerPassed'), 3)),
  ]);
  const sums = nodes.map((_, node) =>
    stages.reduce((sum, stage) => sum + costOf(stage, node, 'microsPerMessage'), 0),
  );
  return [
    {
      title: `${scenario.name}: µs by stage`,
      columns: [
        left('Stage'),
        ...nodes.map(({ name, leads }) => right(`${name} (leads ${leads}) µs/msg`)),
        ...nodes.map(({ name }) => right(`${name} µs/passed`)),
      ],
      rows: [...rows, ['sum', ...sums.map((sum) => fixed(sum, 3)), ...nodes.map(() => '')]],
      notes: [
        'Time, not CPU time: sync is waiting for the disk, flush and compaction pass in another thread, all others in the main thread. By all messages of the cluster, and by those that came through this stage in this node. A node leads as many groups as its column says and follows in the others; in the scenario one-shard one node leads all values.',
      ],
    },
  ];
}
