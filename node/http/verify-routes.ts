import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify';
import { isJsonObject } from '../../broker/json.ts';
import type { ReportedVerification } from '../repair/verification-codec.ts';
import { refuse, refuseForming } from './refusal.ts';
import { GET_VERIFICATION, VERIFY } from './schemas/verify.ts';

export interface VerifyRoutes {
  /** Undefined until the node has joined. */
  readonly cluster: () => VerifiedCluster | undefined;
  /** Sends the answer itself to whoever is no administrator. */
  readonly authorize: onRequestAsyncHookHandler;
}

/** What of a cluster is needed here. */
interface VerifiedCluster {
  readonly start: (groups: readonly number[]) => Promise<readonly ReportedVerification[]>;
  readonly report: () => Promise<readonly ReportedVerification[]>;
  readonly hasGroup: (group: number) => boolean;
  readonly nameOf: (node: string) => string;
}

/**
 * `POST /v1/verify` has the replicas of all groups compared, or with `{"group"}` those of one, and answers with what has
 * begun; `GET` tells how far that is, and what came of the last comparison of each group. At any node.
 */
export function verifyRoutes(server: FastifyInstance, { cluster, authorize }: VerifyRoutes): void {
  server.register(async (scope) => {
    scope.addHook('onRequest', authorize);
    scope.get('/v1/verify', { schema: GET_VERIFICATION }, async (_, reply) => {
      const verified = cluster();
      if (verified === undefined) return refuseForming(reply);
      return document(await verified.report(), verified);
    });
    scope.post('/v1/verify', { schema: VERIFY }, async ({ body }, reply) => {
      const verified = cluster();
      if (verified === undefined) return refuseForming(reply);
      const group = isJsonObject(body) ? body.group : undefined;
      if (group === undefined) return document(await verified.start([]), verified);
      if (typeof group !== 'number') {
        return refuse(reply, 400, 'INVALID_REQUEST', '"group" must be the number of a group');
      }
      if (!verified.hasGroup(group)) {
        return refuse(reply, 404, 'NOT_FOUND', `there is no group ${group}`);
      }
      const begun = await verified.start([group]);
      if (begun.length > 0) return document(begun, verified);
      return refuse(reply, 503, 'UNAVAILABLE', `nobody leads group ${group} now: try again`);
    });
  });
}

/** As people and programs see it. */
function document(groups: readonly ReportedVerification[], { nameOf }: VerifiedCluster) {
  return {
    groups: groups.map(({ startedAtMs, endedAtMs, replicas, ...rest }) => ({
      ...rest,
      startedAt: startedAtMs,
      endedAt: endedAtMs === 0 ? null : endedAtMs,
      replicas: replicas.map(({ replicaId, node, verdict }) => ({
        ...{ node: nameOf(node), id: replicaId, verdict },
      })),
    })),
  };
}
