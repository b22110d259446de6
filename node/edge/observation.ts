import type { FastifyInstance } from 'fastify';
import type { Broker } from '../../broker/broker.ts';
import type { NodeOptions } from '../config/config.ts';
import { describeLog, describeQueues, describeRaft } from '../debug.ts';
import { debugRoutes } from '../http/debug-routes.ts';
import { metricsRoutes } from '../http/metrics-routes.ts';
import { requireAdministrator } from '../http/users.ts';
import { memberFacts } from '../metrics/facts.ts';
import { METRIC_FAMILIES } from '../metrics/table.ts';
import type { StorageNode } from '../storage-node.ts';
import { takeCpuProfile } from './cpu-profile.ts';
import { processFacts } from './machine.ts';
import type { ProcessLoad } from './process-load.ts';
import { Prometheus } from './prometheus.ts';
import { packageVersion } from './version.ts';

interface Observed {
  readonly node: StorageNode;
  readonly broker: Broker;
  readonly load: ProcessLoad;
  readonly options: Pick<NodeOptions, 'name' | 'storageEngine'>;
  readonly startedAtMs: number;
}

/** `/metrics` and `/debug/…`: what machines and people may see of a node at work. */
export function observationRoutes(observed: Observed): ((server: FastifyInstance) => void)[] {
  const { node, load, options } = observed;
  const member = () => (node.hasJoined ? node.active : undefined);
  const prometheus = new Prometheus(METRIC_FAMILIES, () => metricFacts(observed));
  return [
    (server) => metricsRoutes(server, () => prometheus.expose()),
    (server) =>
      debugRoutes(server, {
        nodeName: options.name,
        authorize: requireAdministrator,
        member: () => {
          const active = member();
          if (active === undefined) return undefined;
          return {
            raft: () => describeRaft(active, options.name),
            log: (group, range) => describeLog(active, group, range),
          };
        },
        loop: () => {
          const active = member();
          return {
            delay: load.loopDelay.recent(),
            busySeconds: load.loopDelay.busySeconds,
            queues: active === undefined ? null : describeQueues(active),
          };
        },
        profile: takeCpuProfile,
      }),
  ];
}

function metricFacts({ node, broker, load, options, startedAtMs }: Observed) {
  const { name, storageEngine: engineName } = options;
  const id = node.identity.node;
  const counts = (rule: string) => broker.ingestCounts(rule);
  return {
    node: { id, name, version: packageVersion() },
    broker: { ...broker.facts(), counters: broker.counters(), answers: broker.answerCounts() },
    runtime: processFacts(startedAtMs, load.loopDelay),
    member: node.hasJoined ? memberFacts(node.active, { id, engineName }, counts) : undefined,
  };
}
