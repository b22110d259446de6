import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import WebSocket from 'ws';
import { freePorts } from '../../../bench/free-ports.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningProcess, runProcess, startProcess, temporaryDirectory } from './processes.ts';
import type { ClusterNode } from './test-cluster.ts';

const installed = join(import.meta.dirname, '../node-red/node_modules');
const program = join(installed, 'node-red/red.js');
const packageFolder = join(import.meta.dirname, '../../../clients/node-red');

/** Whether `test/setup/node-red.js` could install it. */
export const hasNodeRed = existsSync(join(installed, '.installed-from'));

/** A node of a flow, as Node-RED exports it. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

/** What one debug node has shown in the sidebar: a message property, or a whole message. */
export type Shown = unknown;

/** The flows that we hand out, by file name: those of our own nodes, or those of MQTT nodes only. */
export function exampleFlows(kind: 'dss' | 'mqtt'): Map<string, FlowNode[]> {
  const examples = join(packageFolder, 'examples', kind === 'mqtt' ? 'mqtt-nodes' : '');
  const files = readdirSync(examples).filter((file) => file.endsWith('.json'));
  return new Map(
    files.map((file) => [
      file.replace('.json', ''),
      JSON.parse(readFileSync(join(examples, file), 'utf8')) as FlowNode[],
    ]),
  );
}

/**
 * Packs our nodes as they would be published, and unpacks them where a Node-RED with this user directory finds them.
 * What they need of `dss` is this build. Resolves with the package's folder.
 */
export async function installPackage(userDirectory: string): Promise<string> {
  const modules = join(userDirectory, 'node_modules');
  const folder = join(modules, 'node-red-contrib-dss');
  await mkdir(folder, { recursive: true });
  const pack = ['pack', packageFolder, '--pack-destination', userDirectory, '--silent'];
  const { stdout, stderr } = await runProcess('npm', pack, { directory: userDirectory });
  const tarball = join(userDirectory, stdout.trim());
  const unpacked = await runProcess('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
  if (unpacked.code !== 0) throw new Error(`npm pack: ${stdout}\n${stderr}\n${unpacked.stderr}`);
  await symlink(join(packageFolder, '../..'), join(modules, 'dss'));
  return folder;
}

/** One Node-RED process with flows of ours, driven as the editor drives it. */
export class NodeRed {
  readonly #process: RunningProcess;
  readonly #directory: string;
  readonly #url: string;
  #comms: WebSocket | undefined;
  readonly #shown = new Map<string, Shown[]>();
  readonly #connected = new Set<string>();
  /** Those that show how they are connected. */
  readonly #dotted: readonly string[];

  private constructor(
    started: RunningProcess,
    directory: string,
    url: string,
    dotted: readonly string[],
  ) {
    this.#process = started;
    this.#directory = directory;
    this.#url = url;
    this.#dotted = dotted;
  }

  /** With the example flows of MQTT nodes, all of them on one DSS node. */
  static async start(node: ClusterNode): Promise<NodeRed> {
    const nodeRed = await NodeRed.startFlows(flowsFor(node));
    try {
      await nodeRed.untilConnected();
    } catch (error) {
      await nodeRed.close();
      throw error;
    }
    return nodeRed;
  }

  /** `prepare`: puts into the user directory what Node-RED should find there. */
  static async startFlows(
    flows: readonly FlowNode[],
    prepare: (userDirectory: string) => Promise<unknown> = async () => {},
  ): Promise<NodeRed> {
    const [port] = (await freePorts(1)) as [number];
    const directory = await temporaryDirectory();
    await prepare(directory);
    await writeFile(join(directory, 'flows.json'), JSON.stringify(flows));
    await writeFile(join(directory, 'settings.js'), settings(port));
    const started = startProcess(process.execPath, [program, '--userDir', directory]);
    const dotted = flows.filter(({ type }) => /^(mqtt|dss) /.test(type));
    const ids = dotted.map(({ id }) => id);
    const nodeRed = new NodeRed(started, directory, `http://127.0.0.1:${port}/editor`, ids);
    try {
      await started.line(/Started flows/);
      nodeRed.#follow();
    } catch (error) {
      await nodeRed.close();
      throw error;
    }
    return nodeRed;
  }

  get editorUrl(): string {
    return this.#url;
  }

  /** Until every node that shows a dot has a green one. */
  async untilConnected(): Promise<void> {
    await eventually('Node-RED connects', () =>
      this.#dotted.every((id) => this.#connected.has(id)) ? true : undefined,
    );
  }

  /** Until none shows it any more. */
  async untilDisconnected(): Promise<void> {
    await eventually('Node-RED sees the end of the connection', () =>
      this.#connected.size === 0 ? true : undefined,
    );
  }

  /** Presses the button of an inject node. `payload`: instead of the one in the flow. */
  async press(id: string, payload?: unknown): Promise<void> {
    const replacement = { p: 'payload', v: JSON.stringify(payload), vt: 'json' };
    const body = payload === undefined ? {} : { __user_inject_props__: [replacement] };
    const response = await fetch(`${this.#url}/inject/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`inject ${id} answered ${response.status}`);
  }

  /** Everything that a debug node has shown since the last `forget`. */
  shown(name: string): readonly Shown[] {
    return this.#shown.get(name) ?? [];
  }

  forget(): void {
    this.#shown.clear();
  }

  /** The first thing that a debug node, one of these, has shown and that `wanted` accepts. */
  async until<T>(
    names: string | readonly string[],
    wanted: (shown: T) => boolean = () => true,
  ): Promise<T> {
    try {
      return await eventually(`debug node "${names}"`, () =>
        ([names].flat().flatMap((name) => this.shown(name)) as T[]).find(wanted),
      );
    } catch (error) {
      const seen = JSON.stringify(Object.fromEntries(this.#shown));
      throw new Error(`${String(error)}; shown: ${seen}\n${this.#process.stdout.join('\n')}`);
    }
  }

  async close(): Promise<void> {
    this.#comms?.terminate();
    this.#process.child.kill('SIGKILL');
    await this.#process.exited;
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Listens to what the editor hears. */
  #follow(): void {
    const comms = new WebSocket(`${this.#url.replace('http:', 'ws:')}/comms`);
    comms.on('message', (data) => this.#onEvents(String(data)));
    // The editor asks for these two: what debug nodes show, and the little dots below nodes.
    comms.on('open', () => {
      for (const topic of ['debug', 'status/#']) {
        comms.send(JSON.stringify({ subscribe: topic }));
      }
    });
    comms.on('error', (error) => this.#process.stderr.push(`comms: ${error.message}`));
    this.#comms = comms;
  }

  #onEvents(text: string): void {
    const parsed = JSON.parse(text) as unknown;
    for (const { topic, data } of (Array.isArray(parsed) ? parsed : [parsed]) as CommsEvent[]) {
      if (topic === 'debug') this.#onDebug(data as DebugEvent);
      else if (topic?.startsWith('status/')) {
        const id = topic.slice('status/'.length);
        if ((data as { fill?: string }).fill === 'green') this.#connected.add(id);
        else this.#connected.delete(id);
      }
    }
  }

  #onDebug({ name, msg, format }: DebugEvent): void {
    if (name === undefined) return;
    const isText = format?.startsWith('string') === true;
    const list = this.#shown.get(name) ?? [];
    list.push(isText ? msg : JSON.parse(msg));
    this.#shown.set(name, list);
  }
}

interface CommsEvent {
  readonly topic?: string;
  readonly data?: unknown;
}

interface DebugEvent {
  readonly name?: string;
  readonly msg: string;
  readonly format?: string;
}

/** All examples of MQTT nodes in one workspace. They share one server, as they do when they are imported one by one. */
function flowsFor(node: ClusterNode): FlowNode[] {
  const byId = new Map([...exampleFlows('mqtt').values()].flat().map((part) => [part.id, part]));
  return [...byId.values()].map((part) =>
    part.type === 'mqtt-broker'
      ? { ...part, broker: '127.0.0.1', port: String(node.mqttPort) }
      : part,
  );
}

function settings(port: number): string {
  return `module.exports = ${JSON.stringify({
    uiHost: '127.0.0.1',
    uiPort: port,
    httpAdminRoot: '/editor',
    flowFile: 'flows.json',
    credentialSecret: false,
    mqttReconnectTime: 250,
    telemetry: { enabled: false },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  })};\n`;
}
