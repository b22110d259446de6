import { NodeConnection } from '../connection.ts';
import { whyNot } from '../errors.ts';
import { askOthers, isSecure } from '../every-node.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import type { StatusDocument } from '../status-document.ts';
import type { ClusterAnswers, NodeAnswer } from './cluster.ts';

/** Asks every node at both of its doors. Throws a `CliError` where not even the first one answers. */
export async function askCluster(door: HttpDoor): Promise<ClusterAnswers> {
  const first = await askNode(door);
  const { answers, silent } = await askOthers(door, first.status, askNode);
  const nodes = [first, ...answers];
  const problems = await Promise.all(
    nodes.map(async ({ status }) => {
      const { name, mqtt } = status.node;
      return [name, await whyNotOverMqtt(mqtt, door)] as const;
    }),
  );
  return { nodes, silent, mqttProblems: new Map(problems) };
}

async function askNode(door: HttpDoor): Promise<NodeAnswer> {
  const askedMs = Date.now();
  const status = await askHttp<StatusDocument>(door, { path: '/v1/cluster' });
  const answeredMs = Date.now();
  const tookMs = answeredMs - askedMs;
  return { status, tookMs, aheadMs: Math.round(status.process.timeMs - askedMs - tookMs / 2) };
}

/** Undefined: it is a node, and lets us in. */
export async function whyNotOverMqtt(address: string, door: HttpDoor): Promise<string | undefined> {
  const { timeoutMs, security } = door;
  const nodes = [`${isSecure(door) ? 'mqtts' : 'mqtt'}://${address}`];
  const options = { nodes, timeoutMs, ...(security === undefined ? {} : { security }) };
  try {
    const connection = await NodeConnection.open(options);
    await connection.close();
    return undefined;
  } catch (error) {
    return whyNot(error);
  }
}
