import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
  readonly httpPorts: readonly number[];
  status(): Promise<StatusDocument[]>;
  /** Begins, or ends, the profiles of its nodes; for a cluster that was started with `profile`. */
  switchProfiles(): void;
  close(): Promise<void>;
}

export interface DssOptions {
  /** Of every node, as they stand in a configuration file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** In this folder every node leaves a CPU profile of its main thread. */
  readonly profile?: string | undefined;
}

export async function startDss(
  directory: string,
  nodeCount: number,
  options: DssOptions = {},
): Promise<DssCluster> {
  const ports = await freePorts(nodeCount * 2);
  const nodes = Array.from({ length: nodeCount }, (_, index) => ({
    name: `n${index + 1}`,
    mqttPort: ports[index] as number,
    httpPort: ports[nodeCount + index] as number,
  }));
  const config = join(directory, 'settings.yaml');
  // JSON is YAML.
  await writeFile(config, JSON.stringify(options.settings ?? {}));
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
    await (options.profile === undefined
      ? cluster.start()
      : startProfiled(cluster, options.profile));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    mqttPorts: nodes.map((node) => node.mqttPort),
    processIds: nodes.map(({ name }) => cluster.processIds.get(name) ?? 0),
    httpPorts: nodes.map((node) => node.httpPort),
    status: () =>
      Promise.all(
        nodes.map((node) => fetchStatus(`http://127.0.0.1:${node.httpPort}`, HTTP_TIMEOUT_MS)),
      ),
    switchProfiles: () => {
      if (options.profile === undefined) return;
      for (const processId of cluster.processIds.values()) process.kill(processId, 'SIGUSR2');
    },
    close: () => cluster.stop(),
  };
}

/** The nodes have the environment of this process. */
async function startProfiled(cluster: ClusterProcess, directory: string): Promise<void> {
  process.env.DSS_BENCH_PROFILE = resolve(directory);
  process.env.NODE_OPTIONS = `--import ${new URL('../profile-preload.js', import.meta.url).href}`;
  try {
    await cluster.start();
  } finally {
    delete process.env.NODE_OPTIONS;
  }
}
