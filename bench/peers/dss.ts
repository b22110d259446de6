import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../clients/cli/http.ts';
import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { ClusterProcess } from '../../clients/cli/up/cluster-process.ts';
import { openSecretFile } from '../../clients/cli/up/layout.ts';
import { freePorts } from '../free-ports.ts';

const HTTP_TIMEOUT_MS = 5_000;

/** A cluster of real `dss node` processes with their data on disk. */
export interface DssCluster {
  readonly mqttPorts: readonly number[];
  readonly httpPorts: readonly number[];
  status(): Promise<StatusDocument[]>;
  close(): Promise<void>;
}

export async function startDss(directory: string, nodeCount: number): Promise<DssCluster> {
  const ports = await freePorts(nodeCount * 2);
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    name: `n${index + 1}`,
    mqttPort: ports[index] as number,
    httpPort: ports[nodeCount + index] as number,
  }));
  const cluster = new ClusterProcess({
    script: fileURLToPath(new URL('../../clients/cli/dss.js', import.meta.url)),
    dataDir: directory,
    secretFile: await openSecretFile(directory),
    layout: { format: 1, nodes },
    logLevel: 'warn',
    onLog: (node, line) => process.stderr.write(`${node} | ${line}\n`),
    onStopped: (node) => process.stderr.write(`${node} stopped during the bench\n`),
  });
  try {
    await cluster.start();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    mqttPorts: nodes.map((node) => node.mqttPort),
    httpPorts: nodes.map((node) => node.httpPort),
    status: () =>
      Promise.all(
        nodes.map((node) => fetchStatus(`http://127.0.0.1:${node.httpPort}`, HTTP_TIMEOUT_MS)),
      ),
    close: () => cluster.stop(),
  };
}
