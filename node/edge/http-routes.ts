import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../../broker/access.ts';
import type { Broker } from '../../broker/broker.ts';
import type { ActiveNode } from '../active-node.ts';
import type { NodeOptions } from '../config/config.ts';
import { shownConfig } from '../config/shown.ts';
import type { Env } from '../env.ts';
import { alertRoutes } from '../http/alert-routes.ts';
import { balanceRoutes } from '../http/balance-routes.ts';
import { batchRoutes } from '../http/batch-routes.ts';
import { dashboardRoutes } from '../http/dashboard.ts';
import { docsRoutes } from '../http/docs-routes.ts';
import { kvRoutes } from '../http/kv-routes.ts';
import { listRoutes } from '../http/list-routes.ts';
import { nodesRoutes } from '../http/nodes-routes.ts';
import { refusalsRoutes, reportRefused } from '../http/refusals-routes.ts';
import type { HttpOptions } from '../http/server.ts';
import { type SettingsRoutes, settingsRoutes } from '../http/settings-routes.ts';
import { requireAdministrator } from '../http/users.ts';
import { verifyRoutes } from '../http/verify-routes.ts';
import { watchRoutes } from '../http/watch-routes.ts';
import { HttpWrites } from '../http/writes.ts';
import { ingestTrial } from '../settings/ingest-trial.ts';
import { describeMissing, describePlace, describeStatus } from '../status.ts';
import type { StorageNode } from '../storage-node.ts';
import { describeProcess } from './machine.ts';
import { observationRoutes } from './observation.ts';
import type { ProcessLoad } from './process-load.ts';

/** What HTTP is about: one running process. */
export interface HttpSubject {
  readonly node: StorageNode;
  readonly broker: Broker;
  readonly env: Env;
  readonly options: NodeOptions;
  readonly load: ProcessLoad;
  readonly authenticator: Authenticator | undefined;
  /** Where others reach this node. */
  readonly addresses: { readonly name: string; readonly mqtt: string; readonly http: string };
  readonly startedAtMs: number;
}

type HttpRoutes = Pick<
  HttpOptions,
  'authenticator' | 'status' | 'where' | 'missing' | 'refused' | 'failed' | 'routes'
>;

/** All that a node answers over HTTP. */
export function httpRoutes(subject: HttpSubject): HttpRoutes {
  const { node, broker, env, authenticator, addresses, startedAtMs } = subject;
  return {
    authenticator,
    status: () => ({
      ...describeStatus(node, addresses),
      broker: broker.counters(),
      process: { ...describeProcess(startedAtMs), stages: env.stages?.figures() },
    }),
    where: (key) => (node.hasJoined ? describePlace(node.active, key) : undefined),
    missing: () => describeMissing(node),
    refused: (request, refusal) => reportRefused(broker.requestContext, request, refusal),
    failed: (error) =>
      env.events.emit({
        level: 'error',
        name: 'http-failed',
        message: `an HTTP request could not be answered: ${error.stack ?? error.message}`,
      }),
    routes: [
      ...valueRoutes(subject),
      ...clusterRoutes(subject),
      ...observationRoutes(subject),
      (server) => refusalsRoutes(server, broker.requestContext.refusals),
      docsRoutes,
      (server) => dashboardRoutes(server),
    ],
  };
}

type AddRoutes = (server: FastifyInstance) => void;

function valueRoutes({ node, broker }: HttpSubject): AddRoutes[] {
  const context = broker.requestContext;
  const writes = new HttpWrites(context);
  return [
    (server) => kvRoutes(server, context, writes),
    (server) => listRoutes(server, context),
    (server) => batchRoutes(server, context, writes),
    (server) =>
      watchRoutes(server, {
        context,
        cluster: () => (node.hasJoined ? node.active.genesis.clusterId : undefined),
      }),
  ];
}

function clusterRoutes({ node, broker, env, options }: HttpSubject): AddRoutes[] {
  const active = () => (node.hasJoined ? node.active : undefined);
  const authorize = requireAdministrator;
  return [
    (server) => settingsRoutes(server, settingsOf(node, broker, env)),
    (server) => nodesRoutes(server, { cluster: active, authorize, nowMs: () => env.clock.nowMs() }),
    (server) =>
      verifyRoutes(server, {
        cluster: () => (node.hasJoined ? verifiedCluster(node.active) : undefined),
        authorize,
      }),
    (server) =>
      alertRoutes(server, {
        alerts: () => active()?.alerts,
        config: shownConfig(options),
        authorize,
      }),
    (server) => balanceRoutes(server, () => active()?.balance),
  ];
}

/** The comparison of replicas, as HTTP asks for it. */
function verifiedCluster({ repairs, map, members }: ActiveNode) {
  return {
    start: (groups: readonly number[]) => repairs.verification.start(groups),
    report: () => repairs.verification.report(),
    hasGroup: (group: number) => map.find(group) !== undefined,
    nameOf: (node: string) => members.nameOf(node),
  };
}

/** The rules of the cluster, as HTTP shows and changes them. */
function settingsOf(node: StorageNode, broker: Broker, env: Env): SettingsRoutes {
  return {
    service: () => (node.hasJoined ? node.active.settings : undefined),
    authorize: requireAdministrator,
    ingestCounts: (rule) => broker.ingestCounts(rule),
    tryIngest: (message) => {
      const { rules, limits } = broker.ingestRules;
      return ingestTrial(rules, { ...message, receivedAtMs: env.clock.nowMs() }, limits);
    },
  };
}
