import type { AlertsDocument } from '../alert-document.ts';
import { askOthers } from '../every-node.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import type { StatusDocument } from '../status-document.ts';
import { formatTime } from '../time.ts';

/** What one node says of itself and of the cluster as it sees it. */
export interface NodeReport {
  readonly status: StatusDocument;
  readonly alerts: AlertsDocument;
  /** Absent where whoever asks is no administrator. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface EventReport {
  readonly atMs: number;
  readonly message: string;
  readonly reason?: string;
}

/** Everything that goes into a report; nothing of what is stored. */
export interface GatheredReport {
  readonly time: string;
  /** The node that was asked first is the first. */
  readonly nodes: readonly NodeReport[];
  readonly silent: readonly { readonly node: string; readonly why: string }[];
  readonly events: readonly EventReport[];
  readonly moves: readonly unknown[];
}

/** Asks one node, and through it learns of the others, who are asked where they say that they are. */
export async function gatherReport(door: HttpDoor, nowMs: number): Promise<GatheredReport> {
  const first = await askNode(door);
  const [{ events }, { moves }] = await Promise.all([
    askHttp<{ events: EventReport[] }>(door, { path: '/v1/events' }).catch(() => ({ events: [] })),
    askHttp<{ moves: unknown[] }>(door, { path: '/v1/moves' }).catch(() => ({ moves: [] })),
  ]);
  const { answers, silent } = await askOthers(door, first.status, askNode);
  return {
    time: formatTime(nowMs),
    nodes: [first, ...answers],
    silent,
    ...{ events, moves },
  };
}

/** A node that has not joined a cluster has a status, and no more than that. */
const NOTHING_YET: AlertsDocument = { alerts: [], history: [], rules: [] };

async function askNode(door: HttpDoor): Promise<NodeReport> {
  const [status, alerts, config] = await Promise.all([
    askHttp<StatusDocument>(door, { path: '/v1/cluster' }),
    askHttp<AlertsDocument>(door, { path: '/v1/alerts' }).catch(() => NOTHING_YET),
    askHttp<{ config: Readonly<Record<string, unknown>> }>(door, { path: '/v1/config' }).catch(
      () => undefined,
    ),
  ]);
  return { status, alerts, ...(config === undefined ? {} : { config: config.config }) };
}
