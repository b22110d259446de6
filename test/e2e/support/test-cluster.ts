import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { freePorts } from '../../../bench/free-ports.ts';
import { askHttp, type HttpQuestion } from '../../../clients/cli/http.ts';
import { NO_SECURITY, type Security } from '../../../clients/cli/security.ts';
import type {
  ShardStatus,
  StatusDocument,
  WhereDocument,
} from '../../../clients/cli/status-document.ts';
import { eventually } from '../../support/eventually.ts';
import { LinkProxy } from './link-proxy.ts';
import {
  dss,
  dssScript,
  type RunningProcess,
  startProcess,
  temporaryDirectory,
} from './processes.ts';

export interface ClusterNode {
  readonly name: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly dataDir: string;
  /** Everything after `dss`. */
  readonly args: readonly string[];
}

export interface ClusterOptions {
  readonly nodes?: number;
  /** One node that creates a cluster of its own; others may join. */
  readonly bootstrap?: boolean;
  readonly shards?: number;
  /** A configuration file for all nodes, as YAML. */
  readonly config?: string;
  /** `storage.engine`. */
  readonly engine?: string;
  /** With `tls` the nodes are asked over TLS, with `user` as that one; the configuration has to fit. */
  readonly security?: Security;
  /** Nodes reach each other through `links`, which can be cut. */
  readonly links?: boolean;
}

/** The balancer looks once a second: two looks found nothing to do. */
const REST_MS = 2_500;
const SECRET = ['--secret', 'end-to-end'];

/** `dss node` processes on free ports with their data in a directory of their own. Nodes count from 0. */
export class TestCluster {
  readonly nodes: ClusterNode[] = [];
  /** Between the nodes, if the options asked for it. */
  readonly links = new LinkProxy();
  readonly #directory: string;
  readonly #options: ClusterOptions;
  readonly #security: Security;
  readonly #processes: (RunningProcess | undefined)[] = [];
  /** Where the others reach each node. */
  readonly #addresses = new Map<number, string>();

  private constructor(directory: string, options: ClusterOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#security = options.security ?? NO_SECURITY;
  }

  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    if (!existsSync(dssScript)) throw new Error(`${dssScript} is missing: npm run build`);
    const count = options.bootstrap ? 1 : (options.nodes ?? 3);
    const cluster = new TestCluster(await temporaryDirectory(), options);
    if (options.config !== undefined) await writeFile(cluster.#configFile, options.config);
    const ports = await freePorts(count * 2);
    const addresses = await Promise.all(
      Array.from({ length: count }, (_, index) => cluster.#advertised(index, ports[index] ?? 0)),
    );
    const peers = addresses.map((address, index) => `n${index + 1}=${address}`).join(',');
    for (const index of addresses.keys()) {
      const [mqttPort, httpPort] = [ports[index] as number, ports[count + index] as number];
      const flags = count > 1 ? ['--peers', peers] : [];
      if (options.bootstrap) flags.push('--bootstrap', '--advertise', addresses[index] as string);
      if (options.shards !== undefined) flags.push('--shards', String(options.shards));
      cluster.nodes.push(cluster.#describe({ index, mqttPort, httpPort, flags }));
    }
    try {
      for (const index of cluster.nodes.keys()) cluster.restart(index);
      await cluster.waitForLeaders();
      if (options.links) for (const index of cluster.nodes.keys()) await cluster.#introduce(index);
    } catch (error) {
      const logs = cluster.logs();
      await cluster.close();
      throw new Error(`the cluster did not start: ${String(error)}\n${logs}`);
    }
    return cluster;
  }

  node(index: number): ClusterNode {
    const node = this.nodes[index];
    if (!node) throw new Error(`there is no node ${index}`);
    return node;
  }

  indexOf(name: string | null): number {
    return this.nodes.findIndex((node) => node.name === name);
  }

  /** All addresses, the way `--node` takes them. */
  get addresses(): string {
    return this.nodes.map((node) => node.mqttUrl).join(',');
  }

  /** Starts a node that is not running, on the data it has. */
  restart(index: number): RunningProcess {
    const args = [dssScript, ...this.node(index).args];
    const started = startProcess(process.execPath, args);
    this.#processes[index] = started;
    return started;
  }

  /** `kill -9`. */
  async kill(index: number): Promise<void> {
    this.#processes[index]?.child.kill('SIGKILL');
    await this.#processes[index]?.exited;
    this.#processes[index] = undefined;
  }

  /** Starts one more node, which joins through the first. Resolves with its index when it is a member. */
  async join(): Promise<number> {
    const index = this.nodes.length;
    const [mqttPort = 0, httpPort = 0] = await freePorts(2);
    const address = await this.#advertised(index, mqttPort);
    const flags = ['--advertise', address, ...(await this.#joining())];
    this.nodes.push(this.#describe({ index, mqttPort, httpPort, flags }));
    await this.#startMember(index);
    return index;
  }

  /** Starts a new node with the name and the addresses of one that is gone, and an empty directory. */
  async replace(index: number): Promise<void> {
    const { name, dataDir, mqttPort, httpPort } = this.node(index);
    await rm(dataDir, { recursive: true, force: true });
    const address = this.#addresses.get(index) as string;
    const flags = ['--advertise', address, ...(await this.#joining()), '--replace', name];
    this.nodes[index] = this.#describe({ index, mqttPort, httpPort, flags });
    await this.#startMember(index);
  }

  /** Resolves when the node has given away everything that it held, and has ended by itself. */
  async leave(index: number): Promise<void> {
    const { name } = this.node(index);
    await this.#ask(0, { method: 'POST', path: `/v1/cluster/nodes/${name}/leave` });
    const { code } = (await this.#processes[index]?.exited) ?? { code: null };
    if (code !== 0) throw new Error(`${name} ended with code ${code}`);
    this.#processes[index] = undefined;
  }

  /** The nodes that run. */
  get running(): ClusterNode[] {
    return this.nodes.filter((_, index) => this.#processes[index]);
  }

  /**
   * Waits until every shard has so many replicas, all of them on nodes that run and know of it, each of these has
   * some, and nothing moves any more: a replica counts for its shard only at the end of its move.
   */
  async waitForReplicas(count: number): Promise<void> {
    const indexes = [...this.nodes.keys()].filter((index) => this.#processes[index]);
    let restingSinceMs = performance.now();
    await eventually(`${count} replicas of every shard, and rest`, async () => {
      const statuses = await Promise.all(indexes.map((index) => this.status(index)));
      const { moves } = (await this.#get(indexes[0] ?? 0, '/v1/moves')) as { moves: unknown[] };
      const isResting = moves.length === 0 && isReplicated(statuses, count);
      if (!isResting) restingSinceMs = performance.now();
      return performance.now() - restingSinceMs > REST_MS ? true : undefined;
    });
    await this.waitForLeaders();
  }

  /** The process stands still, and its connections stay open. */
  pause(index: number): void {
    this.#processes[index]?.child.kill('SIGSTOP');
  }

  resume(index: number): void {
    this.#processes[index]?.child.kill('SIGCONT');
  }

  async status(index: number): Promise<StatusDocument> {
    return (await this.#get(index, '/v1/cluster')) as StatusDocument;
  }

  async where(index: number, key: string): Promise<WhereDocument> {
    return (await this.#get(index, `/v1/where?key=${encodeURIComponent(key)}`)) as WhereDocument;
  }

  /** Waits until every running node knows a leader that runs for every shard. */
  async waitForLeaders(): Promise<void> {
    const alive = this.running;
    const names = new Set<string | null>(alive.map((node) => node.name));
    for (const node of alive) {
      await eventually(`${node.name} knows every leader`, async () => {
        const { shards } = await this.status(this.indexOf(node.name));
        return shards.length > 0 && shards.every((shard) => names.has(shard.leader))
          ? true
          : undefined;
      });
    }
  }

  /** Waits until the node has applied what is committed at the leaders now. */
  async waitForCatchUp(index: number): Promise<void> {
    const targets = new Map<number, number>();
    for (const other of this.nodes.keys()) {
      if (!this.#processes[other]) continue;
      const { shards } = await this.status(other);
      for (const { group, local } of shards) {
        targets.set(group, Math.max(targets.get(group) ?? 0, local?.commit ?? 0));
      }
    }
    await eventually(`${this.node(index).name} catches up`, async () => {
      const behind = (await this.status(index)).shards.filter(
        (shard: ShardStatus) =>
          shard.local && (shard.local.applied ?? 0) < (targets.get(shard.group) ?? 0),
      );
      return behind.length === 0 ? true : undefined;
    });
  }

  /** The index of the node that leads most shards. */
  async busiestLeader(): Promise<number> {
    const { shards } = await this.status(0);
    const led = this.nodes.map(
      (node) => shards.filter((shard) => shard.leader === node.name).length,
    );
    return led.indexOf(Math.max(...led));
  }

  logs(): string {
    return this.nodes
      .flatMap((node, index) => {
        const lines = this.#processes[index]?.stderr ?? ['(not running)'];
        return lines.map((line) => `${node.name} | ${line}`);
      })
      .join('\n');
  }

  async close(): Promise<void> {
    for (const started of this.#processes) started?.child.kill('SIGKILL');
    await Promise.all(this.#processes.map((started) => started?.exited));
    await this.links.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #configFile(): string {
    return join(this.#directory, 'config.yaml');
  }

  /** Where the other nodes reach it. */
  async #advertised(index: number, mqttPort: number): Promise<string> {
    const { links } = this.#options;
    const address = links ? await this.links.open(index, mqttPort) : `127.0.0.1:${mqttPort}`;
    this.#addresses.set(index, address);
    return address;
  }

  async #joining(): Promise<string[]> {
    const { dataDir } = this.node(0);
    const { code, stdout, stderr } = await dss(['token', '--data', dataDir, ...SECRET]);
    if (code !== 0) throw new Error(`dss token ended with ${code}: ${stderr}`);
    return ['--join', this.#addresses.get(0) as string, '--token', stdout.trim()];
  }

  async #startMember(index: number): Promise<void> {
    const started = this.restart(index);
    await started.line(/is ready/);
    if (this.#options.links) await this.#introduce(index);
  }

  async #introduce(index: number): Promise<void> {
    this.links.learn(index, (await this.status(index)).node.id);
  }

  #describe(node: {
    readonly index: number;
    readonly mqttPort: number;
    readonly httpPort: number;
    readonly flags: readonly string[];
  }): ClusterNode {
    const { index, mqttPort, httpPort, flags } = node;
    const { config, engine } = this.#options;
    const name = `n${index + 1}`;
    const dataDir = join(this.#directory, name);
    const args = ['node', '--name', name, '--data', dataDir, ...SECRET];
    args.push('--mqtt-port', String(mqttPort), '--http-port', String(httpPort), ...flags);
    if (config !== undefined) args.push('--config', this.#configFile);
    if (engine !== undefined) args.push('--storage-engine', engine);
    const s = this.#security.tls === undefined ? '' : 's';
    const mqttUrl = `mqtt${s}://127.0.0.1:${mqttPort}`;
    const httpUrl = `http${s}://127.0.0.1:${httpPort}`;
    return { name, mqttPort, httpPort, mqttUrl, httpUrl, dataDir, args };
  }

  #get(index: number, path: string): Promise<unknown> {
    return this.#ask(index, { path });
  }

  #ask(index: number, question: HttpQuestion): Promise<unknown> {
    const door = { bases: this.node(index).httpUrl, timeoutMs: 5_000, security: this.#security };
    return askHttp(door, question);
  }
}

/** Whether every shard has so many replicas, and the nodes that are said to have them say so too. */
function isReplicated(statuses: readonly StatusDocument[], count: number): boolean {
  const held = statuses.map(({ shards }) => {
    const own = shards.filter(({ kind, local }) => kind === 'shard' && local?.suspect === null);
    return new Set(own.map(({ group }) => group));
  });
  const isWhole = ({ group, replicas }: ShardStatus): boolean => {
    const holders = statuses.filter((_, index) => held[index]?.has(group));
    const names = holders.map(({ node }) => node.name).sort();
    return names.length === count && `${[...replicas].sort()}` === `${names}`;
  };
  return statuses.every(({ shards }, index) => {
    const all = shards.filter(({ kind }) => kind === 'shard');
    return held[index]?.size !== 0 && all.every(isWhole);
  });
}

/** Prints what the nodes logged when a test of the file fails. */
export function printLogsOnFailure(cluster: () => TestCluster | undefined): void {
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(cluster()?.logs());
  });
}
