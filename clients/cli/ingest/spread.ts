import { setTimeout as pause } from 'node:timers/promises';
import { type Answers, askOthers } from '../every-node.ts';
import { askHttp, fetchStatus, type HttpDoor } from '../http.ts';
import type { IngestDocument } from './rule-report.ts';

const OTHER_TIMEOUT_MS = 2_000;
const POLL_MS = 20;
export const READ_RULES = { path: '/v1/ingest' } as const;

/** What the other nodes answer: each counts for itself. */
export function askOtherNodes(door: HttpDoor): Promise<Answers<IngestDocument>> {
  return ofOthers(door, (other) => askHttp<IngestDocument>(other, READ_RULES));
}

/**
 * Resolves when all nodes that answer know the rules of this revision. The node that made the change has them at once, the
 * others hear of it with the next heartbeats, and until then acknowledge messages without storing them.
 */
export function untilKnown(door: HttpDoor, revision: number): Promise<Answers<IngestDocument>> {
  return ofOthers(door, async (other) => {
    const untilMs = Date.now() + OTHER_TIMEOUT_MS;
    for (;;) {
      const document = await askHttp<IngestDocument>(other, READ_RULES);
      if (document.revision >= revision) return document;
      if (Date.now() >= untilMs) throw new Error('it has not heard of the change yet');
      await pause(POLL_MS);
    }
  });
}

async function ofOthers<T>(
  door: HttpDoor,
  ask: (other: HttpDoor) => Promise<T>,
): Promise<Answers<T>> {
  const first = await fetchStatus(door.bases, door.timeoutMs, door.security);
  return askOthers({ ...door, timeoutMs: OTHER_TIMEOUT_MS }, first, ask);
}
