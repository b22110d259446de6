import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../free-ports.ts';
import { LoadConnection } from '../load/load-connection.ts';
import { ChildServer } from './child-server.ts';
import { findProgram } from './find-program.ts';

/** NATS servers with JetStream that speak MQTT and keep what is published on all of them. They do not fsync before a PUBACK. */
export interface NatsCluster {
  readonly version: string;
  readonly mqttPorts: readonly number[];
  readonly processIds: readonly number[];
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 30_000;
const CONNECT_AGAIN_MS = 250;

/** Undefined when it is not installed (Debian: `apt-get install nats-server`). */
export async function startNats(
  directory: string,
  nodeCount: number,
): Promise<NatsCluster | undefined> {
  const program = findProgram('nats-server', '--version');
  if (!program) return undefined;
  const ports = await freePorts(nodeCount * 3);
  const portsFor = (kind: number) => ports.slice(kind * nodeCount, (kind + 1) * nodeCount);
  const [clientPorts, clusterPorts, mqttPorts] = [portsFor(0), portsFor(1), portsFor(2)];
  const servers: ChildServer[] = [];
  const close = async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    for (let index = 0; index < nodeCount; index += 1) {
      const own = resolve(directory, `nats-${index + 1}`);
      await mkdir(own, { recursive: true });
      const path = join(own, 'nats.conf');
      const port = mqttPorts[index] as number;
      const options = { index, own, clientPort: clientPorts[index], clusterPorts, mqttPort: port };
      await writeFile(path, configuration(options));
      servers.push(await ChildServer.start(program.path, ['-c', path], { name: 'NATS', port }));
    }
    // JetStream needs a leader before anybody can connect, and the first who do make the streams.
    for (const port of mqttPorts) await untilConnected(port);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    version: program.answer,
    mqttPorts,
    processIds: servers.map(({ processId }) => processId),
    close,
  };
}

function configuration(options: {
  readonly index: number;
  readonly own: string;
  readonly clientPort: number | undefined;
  readonly clusterPorts: readonly number[];
  readonly mqttPort: number;
}): string {
  const { index, own, clientPort, clusterPorts, mqttPort } = options;
  const routes = clusterPorts.map((port) => `"nats-route://127.0.0.1:${port}"`);
  return `server_name: n${index + 1}
listen: "127.0.0.1:${clientPort}"
jetstream { store_dir: ${JSON.stringify(own)} }
cluster { name: bench, listen: "127.0.0.1:${clusterPorts[index]}", routes: [${routes.join(', ')}] }
mqtt { listen: "127.0.0.1:${mqttPort}", stream_replicas: ${clusterPorts.length} }
log_file: ${JSON.stringify(join(own, 'nats.log'))}
`;
}

async function untilConnected(port: number): Promise<void> {
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const failure = await connectOnce(port);
    if (failure === undefined) return;
    if (performance.now() > deadlineMs) throw new Error(`NATS: ${failure.message}`);
    await delay(CONNECT_AGAIN_MS);
  }
}

async function connectOnce(port: number): Promise<Error | undefined> {
  let connection: LoadConnection | undefined;
  const failed = new Promise<Error>((onFailed) => {
    const clientId = `first-${port}`;
    connection = new LoadConnection({ port, clientId, onData: ({ length }) => length, onFailed });
  });
  const failure = await Promise.race([
    failed,
    connection?.connected(),
    delay(CONNECT_TIMEOUT_MS, new Error('no CONNACK'), { ref: false }),
  ]);
  connection?.stop();
  return failure ?? undefined;
}
