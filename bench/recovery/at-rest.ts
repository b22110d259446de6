import { setTimeout as delay } from 'node:timers/promises';
import { readBytes } from '../process-figures.ts';
import type { NodeCluster } from './node-cluster.ts';

/** What the nodes of a cluster cost that nobody uses. */
export interface AtRestResult {
  readonly nodeCount: number;
  readonly seconds: number;
  readonly nodes: readonly {
    /** Of one core, all threads. */
    readonly cpuShare: number;
    readonly residentBytes: number;
    /** Of these, what is not mapped from files: the node alone has it. */
    readonly anonymousBytes: number;
  }[];
}

/** V8 gives back the room that starting took within two minutes. */
const SETTLE_MS = 130_000;

export async function measureAtRest(cluster: NodeCluster, seconds: number): Promise<AtRestResult> {
  await delay(SETTLE_MS);
  const statuses = () => Promise.all(cluster.running.map((index) => cluster.status(index)));
  const before = await statuses();
  await delay(seconds * 1_000);
  const after = await statuses();
  const nodes = after.map(({ process: last }, index) => {
    const first = before[index]?.process ?? last;
    const cpu = last.cpuUserMicros + last.cpuSystemMicros;
    const cpuBefore = first.cpuUserMicros + first.cpuSystemMicros;
    return {
      cpuShare: (cpu - cpuBefore) / 1_000 / (last.uptimeMs - first.uptimeMs),
      residentBytes: readBytes(last.processId, 'VmRSS'),
      anonymousBytes: readBytes(last.processId, 'RssAnon'),
    };
  });
  return { nodeCount: nodes.length, seconds, nodes };
}
