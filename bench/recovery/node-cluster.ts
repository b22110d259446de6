import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { askHttp, fetchStatus } from '../../clients/cli/http.ts';
import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { openSecretFile } from '../../clients/cli/up/layout.ts';
import { type NodeExit, NodeProcess } from '../../clients/cli/up/node-process.ts';
import { freePorts } from '../free-ports.ts';

const script = fileURLToPath(new URL('../../clients/cli/dss.js', import.meta.url));
const HTTP_TIMEOUT_MS = 5_000;
const STOP_GRACE_MS = 10_000;
const LOOK_MS = 100;
const PATIENCE_MS = 900_000;
/** The balancer looks once a second: two looks found nothing to do. */
const REST_MS = 2_500;

/** A real node of the cluster. */
interface Member {
  readonly name: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly args: readonly string[];
  process: NodeProcess | undefined;
  exited: Promise<NodeExit> | undefined;
}

/** Real `dss node` processes, of which single ones are killed, started again, replaced and added. */
export class NodeCluster {
  readonly members: Member[] = [];
  readonly #directory: string;
  readonly #secretFile: string;

  private constructor(directory: string, secretFile: string) {
    this.#directory = directory;
    this.#secretFile = secretFile;
  }

  /** Nodes that create a cluster together. Resolves when every shard has a leader. */
  static async start(directory: string, nodeCount: number): Promise<NodeCluster> {
    const cluster = new NodeCluster(directory, await openSecretFile(directory));
    const ports = await freePorts(nodeCount * 2);
    const peers = Array.from({ length: nodeCount }, (_, i) => `n${i + 1}=127.0.0.1:${ports[i]}`);
    for (let index = 0; index < nodeCount; index += 1) {
      const [mqttPort = 0, httpPort = 0] = [ports[index], ports[nodeCount + index]];
      cluster.#add({ mqttPort, httpPort, flags: ['--peers', peers.join(',')] });
    }
    try {
      for (const index of cluster.members.keys()) cluster.start(index);
      await cluster.untilLed();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no node ${index}`);
    return member;
  }

  /** The indexes of those that run. */
  get running(): number[] {
    return [...this.members.keys()].filter((index) => this.member(index).process);
  }

  start(index: number): void {
    const member = this.member(index);
    member.exited = new Promise((resolve) => {
      member.process = new NodeProcess({
        name: member.name,
        script,
        args: member.args,
        onLog: (line) => process.stderr.write(`${member.name} | ${line}\n`),
        onUsable: () => {},
        onExit: resolve,
      });
    });
  }

  /** `kill -9`; returns when the signal is sent. */
  kill(index: number): Promise<unknown> {
    const member = this.member(index);
    if (member.process) process.kill(member.process.processId, 'SIGKILL');
    member.process = undefined;
    return Promise.resolve(member.exited);
  }

  /** Starts one more node, which joins the cluster. Returns its index. */
  async join(): Promise<number> {
    const [mqttPort = 0, httpPort = 0] = await freePorts(2);
    const index = this.#add({ mqttPort, httpPort, flags: this.#joining() });
    this.start(index);
    return index;
  }

  /** Starts an empty node in the place of one that is gone. */
  async replace(index: number): Promise<void> {
    const { name, mqttPort, httpPort } = this.member(index);
    await rm(join(this.#directory, name), { recursive: true, force: true });
    const flags = [...this.#joining(), '--replace', name];
    this.members[index] = this.#describe({ index, mqttPort, httpPort, flags });
    this.start(index);
  }

  status(index: number): Promise<StatusDocument> {
    return fetchStatus(`http://127.0.0.1:${this.member(index).httpPort}`, HTTP_TIMEOUT_MS);
  }

  processId(index: number): number {
    return this.member(index).process?.processId ?? 0;
  }

  /** Resolves when every running node knows of each shard a leader that runs. */
  async untilLed(): Promise<void> {
    const names = new Set<string | null>(this.running.map((index) => this.member(index).name));
    for (const index of this.running) {
      await this.until(index, ({ shards }) => shards.every(({ leader }) => names.has(leader)));
    }
  }

  /**
   * Waits until every shard has so many replicas, on nodes that run and know of it, and nothing moves any more.
   * Resolves with when that began, of `performance.now()`.
   */
  async untilReplicated(replicas: number): Promise<number> {
    const endsMs = performance.now() + PATIENCE_MS;
    let sinceMs = performance.now();
    while (performance.now() - sinceMs < REST_MS) {
      if (performance.now() > endsMs) throw new Error('the cluster does not come to rest');
      await delay(LOOK_MS);
      if (!(await this.#isReplicated(replicas).catch(() => false))) sinceMs = performance.now();
    }
    return sinceMs;
  }

  /** Asks a node again and again. A cluster without shards is not there yet. */
  async until(index: number, reached: (status: StatusDocument) => boolean): Promise<void> {
    const endsMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const status = await this.status(index).catch(() => undefined);
      if (status !== undefined && status.shards.length > 0 && reached(status)) return;
      if (performance.now() > endsMs) throw new Error('the cluster does not get there');
      await delay(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.process?.stop(STOP_GRACE_MS)));
  }

  async #isReplicated(replicas: number): Promise<boolean> {
    const { httpPort } = this.member(this.running[0] as number);
    const door = { bases: `http://127.0.0.1:${httpPort}`, timeoutMs: HTTP_TIMEOUT_MS };
    const { moves } = await askHttp<{ moves: unknown[] }>(door, { path: '/v1/moves' });
    if (moves.length > 0) return false;
    const statuses = await Promise.all(this.running.map((index) => this.status(index)));
    const counts = new Map<number, number>();
    for (const { shards } of statuses) {
      const held = shards.filter(({ kind, local }) => kind === 'shard' && local?.suspect === null);
      if (held.length === 0) return false;
      for (const { group } of held) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    return [...counts.values()].every((count) => count === replicas);
  }

  #add(node: {
    readonly mqttPort: number;
    readonly httpPort: number;
    readonly flags: readonly string[];
  }): number {
    return this.members.push(this.#describe({ index: this.members.length, ...node })) - 1;
  }

  #describe(node: {
    readonly index: number;
    readonly mqttPort: number;
    readonly httpPort: number;
    readonly flags: readonly string[];
  }): Member {
    const { index, mqttPort, httpPort, flags } = node;
    const name = `n${index + 1}`;
    const args = ['node', '--name', name, '--data', join(this.#directory, name)];
    args.push('--mqtt-port', String(mqttPort), '--http-port', String(httpPort));
    args.push('--secret-file', this.#secretFile, '--log-level', 'error', ...flags);
    return { name, mqttPort, httpPort, args, process: undefined, exited: undefined };
  }

  #joining(): string[] {
    const through = this.member(this.running[0] as number);
    const data = join(this.#directory, through.name);
    const args = ['token', '--data', data, '--secret-file', this.#secretFile];
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args]);
    if (status !== 0) throw new Error(`dss token ended with ${status}: ${stderr}`);
    return ['--join', `127.0.0.1:${through.mqttPort}`, '--token', stdout.toString().trim()];
  }
}
