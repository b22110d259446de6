import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  readonly processIds: readonly number[];
  status(): Promise<StatusDocument[]>;
  close(): Promise<void>;
}

/** `settings`: of every node, as they stand in a configuration file. */
export async function startDss(
  directory: string,
  nodeCount: number,
  { settings = {} }: { readonly settings?: Readonly<Record<string, unknown>> } = {},
): Promise<DssCluster> {
  const ports = await freePorts(nodeCount * 2);
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    name: `n${index + 1}`,
    mqttPort: ports[index] as number,
    httpPort: ports[nodeCount + index] as number,
  }));
  const config = join(directory, 'settings.yaml');
  // JSON is YAML.
  await writeFile(config, JSON.stringify(settings));
  const cluster = new ClusterProcess({
    script: fileURLToPath(new URL('../../clients/cli/dss.js', import.meta.url)),
    dataDir: directory,
    secretFile: await openSecretFile(directory),
    layout: { format: 1, nodes },
    logLevel: 'warn',
    reach: { config },
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
    processIds: nodes.map(({ name }) => cluster.processIds.get(name) ?? 0),
    status: () =>
      Promise.all(
        nodes.map((node) => fetchStatus(`http://127.0.0.1:${node.httpPort}`, HTTP_TIMEOUT_MS)),
      ),
    close: () => cluster.stop(),
  };
}
