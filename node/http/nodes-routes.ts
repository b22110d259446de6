import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { isJsonObject } from '../../broker/json.ts';
import type { Member } from '../../broker/request-members.ts';
import type { Members } from '../membership/members.ts';
import {
  editNodeTable,
  type FirstNodes,
  isWeight,
  leaveNode,
  type NodeRow,
  nodeTable,
  setNodeWeight,
} from '../settings/nodes.ts';
import type { SettingsEdit } from '../settings/settings.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import { refuse, refuseChange, refuseForming } from './refusal.ts';
import { LEAVE_NODE, LIST_NODES, SET_WEIGHT } from './schemas/nodes.ts';

export interface NodesRoutes {
  /** Undefined until the node has joined. */
  readonly cluster: () => NodesOfCluster | undefined;
  /** Sends the answer itself to whoever is no administrator. */
  readonly authorize: onRequestAsyncHookHandler;
  readonly nowMs: () => number;
}

/** What of a member of a cluster is needed here. */
interface NodesOfCluster {
  readonly settings: SettingsService;
  readonly members: Members;
  readonly genesis: FirstNodes;
}

type Named = FastifyRequest<{ Params: { name: string } }>;
type Parse = (request: Named) => Member<SettingsEdit>;

/**
 * `/v1/cluster/nodes`: the node table, at any node of the cluster; `…/<name>/leave` and `…/<name>/weight` change a row. All
 * answer with the table.
 */
export function nodesRoutes(server: FastifyInstance, routes: NodesRoutes): void {
  const { cluster, authorize, nowMs } = routes;
  server.register(async (scope) => {
    scope.addHook('onRequest', authorize);
    scope.get('/v1/cluster/nodes', { schema: LIST_NODES }, (_, reply) => {
      const nodes = cluster();
      if (nodes === undefined) return refuseForming(reply);
      const { members, settings } = nodes;
      const rows = members.list().map(({ row }) => row);
      return document(rows, settings.current.revision, members);
    });
    const post = (what: string, schema: object, parse: Parse) =>
      scope.post(`/v1/cluster/nodes/:name/${what}`, { schema }, async (request: Named, reply) => {
        const nodes = cluster();
        if (nodes === undefined) return refuseForming(reply);
        const edit = parse(request);
        if ('wrong' in edit) return refuse(reply, 400, 'INVALID_REQUEST', edit.wrong);
        const { settings, members, genesis } = nodes;
        const outcome = await settings.change(editNodeTable(genesis, edit.value));
        if (outcome.kind !== 'settled') return refuseChange(reply, outcome);
        const { revision } = outcome.settings;
        return document(nodeTable(outcome.settings, genesis), revision, members);
      });
    post('leave', LEAVE_NODE, ({ params: { name } }) => ({
      value: (settings) => leaveNode(settings, name, nowMs()),
    }));
    post('weight', SET_WEIGHT, ({ params: { name }, body }) => {
      const weight = isJsonObject(body) ? body.weight : undefined;
      if (isWeight(weight)) return { value: (settings) => setNodeWeight(settings, name, weight) };
      return { wrong: 'the body must be {"weight"}, a number above 0 and at most 100' };
    });
  });
}

/** Who is not gone, as people and programs see it. */
function document(rows: readonly NodeRow[], revision: number, members: Members) {
  const nodes = rows
    .filter(({ state }) => state !== 'gone')
    .map(({ node, name, state, zone, weight, mqttAddress, httpAddress, sinceMs }) => ({
      ...{ id: node, name, state, health: members.stateOf(node), zone, weight },
      ...{ mqtt: mqttAddress, http: httpAddress === '' ? null : httpAddress, since: sinceMs },
    }));
  return { revision, nodes };
}
