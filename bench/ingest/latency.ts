import { settle } from '../verbs/settle.ts';
import { type Contender, closeAll, startContenders } from './contenders.ts';
import { inDirectory, onProgress, type PartOptions } from './part.ts';
import { HEADLINE } from './scenarios.ts';
import { runTurn, type Turn } from './turn.ts';

export interface LatencyResult {
  readonly contenders: readonly ContenderLatency[];
}

export interface ContenderLatency {
  readonly contender: string;
  /** As fast as it goes, in the same run. */
  readonly top: Turn;
  readonly steps: readonly {
    readonly share: number;
    /** Messages that were due each second. */
    readonly duePerSecond: number;
    readonly turn: Turn;
  }[];
}

const SHARES = [0.1, 0.5, 0.8];
/** So many that a client practically never has to wait for a free packet id. */
const WINDOW = 1_000;

/**
 * Latency at parts of the top rate. Messages are due at fixed times, whatever the broker does, and their latency counts from
 * then: a pause is felt by all messages that it holds up (no coordinated omission).
 */
export function measureLatency(options: PartOptions): Promise<LatencyResult> {
  const { data, contenders: names } = options;
  return inDirectory(data, async (directory) => {
    const chosen = names.filter((name) => name === 'dss' || name === 'mosquitto');
    const started = await startContenders(chosen, directory, HEADLINE);
    try {
      const contenders: ContenderLatency[] = [];
      for (const contender of started) contenders.push(await measureOne(contender, options));
      return { contenders };
    } finally {
      await closeAll(started);
    }
  });
}

async function measureOne(contender: Contender, { times }: PartOptions): Promise<ContenderLatency> {
  onProgress(`latency: top rate of ${contender.name}`);
  const top = await runTurn(contender, HEADLINE, times);
  const steps: ContenderLatency['steps'][number][] = [];
  for (const share of SHARES) {
    if (contender.dss !== undefined) await settle(contender.dss);
    const duePerSecond = Math.round(top.perSecond * share);
    onProgress(`latency: ${contender.name} at ${duePerSecond} a second`);
    const load = { ...times, perSecond: duePerSecond, isOpenLoop: true };
    const turn = await runTurn(contender, { ...HEADLINE, inflight: WINDOW }, load);
    steps.push({ share, duePerSecond, turn });
  }
  return { contender: contender.name, top, steps };
}
