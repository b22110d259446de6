import { onFreshCluster, onProgress, type PartOptions } from './part.ts';
import { HEADLINE, type Scenario } from './scenarios.ts';
import { runTurn, type Turn } from './turn.ts';

export interface BatchesResult {
  readonly rows: readonly BatchesRow[];
}

export interface BatchesRow {
  readonly scenario: Scenario;
  /** One of each round. */
  readonly turns: readonly Turn[];
}

/** A gateway waits for one batch while it sends another. */
const INFLIGHT = 2;

/** The headline's readings, a hundred in each message. */
export const BATCHES_OF_100 = batches(100, 'protobuf');

const CASES: readonly Scenario[] = [
  HEADLINE,
  batches(10, 'protobuf'),
  BATCHES_OF_100,
  batches(1_000, 'protobuf'),
  batches(100, 'json'),
];

function batches(readings: number, format: 'json' | 'protobuf') {
  return { ...HEADLINE, inflight: INFLIGHT, batch: { readings, format } } satisfies Scenario;
}

/** Readings as `dss/batch` takes them, beside single puts on the same cluster; in turns. */
export function measureBatches({
  data,
  times,
  rounds,
}: PartOptions & { readonly rounds: number }): Promise<BatchesResult> {
  return onFreshCluster(data, HEADLINE, {}, async (dss) => {
    const turns: Turn[][] = CASES.map(() => []);
    for (let round = 1; round <= rounds; round += 1) {
      onProgress(`batches: round ${round} of ${rounds}`);
      for (const [i, scenario] of CASES.entries()) {
        turns[i]?.push(await runTurn(dss, scenario, times));
      }
    }
    return { rows: CASES.map((scenario, i) => ({ scenario, turns: turns[i] ?? [] })) };
  });
}
