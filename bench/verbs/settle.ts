import { setTimeout as delay } from 'node:timers/promises';
import type { StatusDocument } from '../../clients/cli/status-document.ts';
import type { DssCluster } from '../peers/dss.ts';

const LOOK_MS = 500;
const LOOKS_MAX = 60;
const WORK = ['flushedBytes', 'compactedBytes', 'frozenMemtables'];

/** Waits until no node has flushed or compacted anything for a while, for half a minute at most. */
export async function settle(dss: DssCluster): Promise<void> {
  let before = '';
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const now = JSON.stringify((await dss.status()).map(workOf));
    if (now === before) return;
    before = now;
    await delay(LOOK_MS);
  }
}

function workOf({ storage }: StatusDocument): unknown[] {
  return WORK.map((counter) => storage?.[counter]);
}
