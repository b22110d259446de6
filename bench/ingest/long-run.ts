import { lineChart } from '../line-chart.ts';
import { residentBytesOf } from '../process-figures.ts';
import { onFreshCluster, onProgress, type PartOptions } from './part.ts';
import { HEADLINE } from './scenarios.ts';
import { runTurn, type Turn } from './turn.ts';
import { readWritten, type WrittenBytes, writtenSince } from './written-bytes.ts';

/** What a node may take in this bench. */
export const MEMORY_BUDGET_BYTES = 256 * 1024 * 1024;

export interface LongRunResult {
  /** As fast as it goes, before. */
  readonly top: Turn;
  /** Of the top rate; 1: as fast as it goes, all the time. */
  readonly share: number;
  readonly turn: Turn;
  /** About one a second. */
  readonly samples: readonly Sample[];
  readonly written: WrittenBytes;
}

export interface Sample {
  readonly atSeconds: number;
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Of each node. */
  readonly residentBytes: readonly number[];
}

/** One load for a long time, with all flushes and compactions that it takes. */
export function measureLongRun(
  options: PartOptions & { readonly minutes: number; readonly share: number },
): Promise<LongRunResult> {
  const { data, times, minutes, share } = options;
  return onFreshCluster(data, HEADLINE, {}, async (dss) => {
    onProgress('long: top rate');
    const top = await runTurn(dss, HEADLINE, times);
    const before = await readWritten(dss, data);
    const perSecond = Math.round(top.perSecond * share);
    onProgress(
      `long: ${minutes} minutes at ${share === 1 ? 'full load' : `${perSecond} a second`}`,
    );
    const samples: Sample[] = [];
    let atSeconds = 0;
    const load = { seconds: minutes * 60, warmupSeconds: 1 };
    const paced = share === 1 ? load : { ...load, perSecond, isOpenLoop: true };
    const turn = await runTurn(dss, HEADLINE, paced, {
      onProgress: ({ messages, seconds, p99Ms }) => {
        atSeconds += seconds;
        const residentBytes = dss.processes.map(({ processId }) => residentBytesOf(processId));
        samples.push({ atSeconds, perSecond: messages / seconds, p99Ms, residentBytes });
      },
    });
    const written = writtenSince(before, await readWritten(dss, data));
    return { top, share, turn, samples, written };
  });
}

const MIB = 1024 * 1024;

export function longRunPicture({ samples, turn, share }: LongRunResult): string {
  const line = (name: string, pick: (sample: Sample) => number) => ({
    name,
    points: samples.map((sample) => [sample.atSeconds, pick(sample)] as const),
  });
  const rate = share === 1 ? 'full load' : `${Math.round(share * 100)} % of the top rate`;
  return lineChart({
    title: `Three nodes at ${rate}, compaction included`,
    panels: [
      { title: 'Messages acknowledged per second', lines: [line('all', (each) => each.perSecond)] },
      { title: 'p99 of each second, ms', lines: [line('p99', (each) => each.p99Ms)] },
      {
        title: 'Resident memory of each node, MiB',
        lines: turn.processes.map(({ name }, index) =>
          line(name, ({ residentBytes }) => (residentBytes[index] ?? Number.NaN) / MIB),
        ),
        limit: { name: 'budget', value: MEMORY_BUDGET_BYTES / MIB },
      },
    ],
  });
}
