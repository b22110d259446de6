import type { AlertsDocument } from '../alert-document.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import type { StatusDocument } from '../status-document.ts';

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
  const scheme = [door.bases].flat().some((base) => base.startsWith('https:')) ? 'https' : 'http';
  const others = first.status.nodes.filter(({ id }) => id !== first.status.node.id);
  const asked = await Promise.all(
    others.map(async ({ name, http }) => {
      if (http === null) return { node: name, why: 'nobody has heard of its address' };
      try {
        return await askNode({ ...door, bases: `${scheme}://${http}` });
      } catch (error) {
        return { node: name, why: (error as Error).message };
      }
    }),
  );
  return {
    time: new Date(nowMs).toISOString(),
    nodes: [first, ...asked.filter((answer) => 'status' in answer)],
    silent: asked.filter((answer) => 'why' in answer),
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
