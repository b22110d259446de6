import { relative, resolve } from 'node:path';
import { deferred } from '../deferred.ts';
import { CliError, ExitCode } from '../errors.ts';
import type { ClusterLayout, NodeLayout } from './layout.ts';
import { type NodeExit, NodeProcess, type UsableReport } from './node-process.ts';
import { hostOf, type Reach } from './reach.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const LINES_KEPT = 5;

/** As they were given; the nodes check them, and have defaults for those that were not. */
export interface StorageFlags {
  readonly storageEngine?: string | undefined;
  readonly storageMaxBytes?: string | undefined;
  readonly verifyHours?: string | undefined;
}

export interface ClusterProcessOptions {
  /** The compiled `dss.js`. */
  readonly script: string;
  readonly dataDir: string;
  readonly secretFile: string;
  readonly layout: ClusterLayout;
  readonly logLevel: string;
  readonly storage?: StorageFlags;
  /** What the nodes are told beside all that. */
  readonly reach?: Reach;
  readonly onLog: (node: string, line: string) => void;
  /** A node ended although nobody asked it to. */
  readonly onStopped: (node: string, exit: NodeExit, startAgain: string) => void;
  /** A node has left its cluster, or was removed: that goes on without it. */
  readonly onRemoved?: (node: string, joinAgain: string) => void;
}

/** The nodes of a local cluster, each a real process. One that dies stays dead: that is what is being shown. */
export class ClusterProcess {
  readonly #options: ClusterProcessOptions;
  readonly #nodes: NodeProcess[] = [];
  readonly #lastLines = new Map<string, string[]>();
  readonly #allStopped = deferred();
  readonly #usable = new Set<string>();
  readonly #removed = new Set<string>();
  #report: UsableReport | undefined;
  readonly #allUsable = deferred<UsableReport>();
  #stopping = false;
  #started = false;
  #failed: ((error: CliError) => void) | undefined;

  constructor(options: ClusterProcessOptions) {
    this.#options = options;
  }

  /** Resolves when no node is left. */
  get allStopped(): Promise<void> {
    return this.#allStopped.promise;
  }

  /** Those that are not in the cluster any more. */
  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  /** Of the nodes that run. */
  get processIds(): ReadonlyMap<string, number> {
    const running = this.#nodes.filter(({ exit }) => exit === undefined);
    return new Map(running.map((node) => [node.name, node.processId]));
  }

  /**
   * Starts every node and waits until each knows a leader for every shard. Rejects when a node gives up before.
   * What the last of them reports goes for all: they are told the same.
   */
  async start(): Promise<UsableReport> {
    const failed = new Promise<never>((_, reject) => {
      this.#failed = reject;
    });
    for (const node of this.#options.layout.nodes) this.#nodes.push(this.#spawn(node));
    const report = await Promise.race([failed, this.#withinStartTime(this.#allUsable.promise)]);
    this.#started = true;
    return report;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#nodes.map((node) => node.stop(STOP_GRACE_MS)));
  }

  #spawn(node: NodeLayout): NodeProcess {
    return new NodeProcess({
      name: node.name,
      script: this.#options.script,
      args: nodeArguments(node, this.#options),
      onLog: (line) => {
        this.#lastLines.set(node.name, [...this.#recent(node.name), line].slice(-LINES_KEPT));
        this.#options.onLog(node.name, line);
      },
      onUsable: (report) => {
        this.#usable.add(node.name);
        this.#report = report;
        this.#checkUsable();
      },
      onLeft: () => this.#removed.add(node.name),
      onExit: (exit) => this.#onExit(node, exit),
    });
  }

  #onExit(node: NodeLayout, exit: NodeExit): void {
    if (this.#nodes.every((candidate) => candidate.exit)) this.#allStopped.resolve();
    if (this.#stopping) return;
    if (exit.code === ExitCode.removed) this.#removed.add(node.name);
    if (this.#removed.has(node.name)) {
      this.#options.onRemoved?.(node.name, joinAgain(node, this.#options));
      this.#checkUsable();
      return;
    }
    if (!this.#started) {
      const said = this.#recent(node.name).at(-1) ?? describeExit(exit);
      const sentence = `${node.name} did not start: ${said.replace(/^dss: /, '')}`;
      this.#failed?.(new CliError(ExitCode.failure, 'NODE_FAILED', sentence));
      return;
    }
    const args = nodeArguments(node, this.#options);
    this.#options.onStopped(node.name, exit, commandLine(this.#options.script, args));
  }

  #checkUsable(): void {
    const isComplete =
      new Set([...this.#usable, ...this.#removed]).size === this.#options.layout.nodes.length;
    if (isComplete && this.#report !== undefined) this.#allUsable.resolve(this.#report);
  }

  #recent(name: string): string[] {
    return this.#lastLines.get(name) ?? [];
  }

  async #withinStartTime<T>(usable: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const sentence = `not every shard has a leader after ${START_TIMEOUT_MS / 1000} s`;
        reject(new CliError(ExitCode.unavailable, 'NOT_READY', sentence));
      }, START_TIMEOUT_MS);
    });
    try {
      return await Promise.race([usable, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

export function nodeArguments(
  node: NodeLayout,
  {
    layout,
    dataDir,
    secretFile,
    logLevel,
    storage = {},
    reach = {},
  }: Omit<ClusterProcessOptions, 'script' | 'onLog' | 'onStopped' | 'onRemoved'>,
): string[] {
  // They are on one machine, so they meet where they listen.
  const host = hostOf(reach.listen);
  const first = layout.nodes.filter(({ joins }) => joins !== true);
  const others = layout.nodes.filter(({ name }) => name !== node.name);
  const args = ['node', '--name', node.name, '--data', `${dataDir}/${node.name}`];
  args.push('--mqtt-port', String(node.mqttPort), '--http-port', String(node.httpPort));
  if (node.joins === true) {
    args.push('--join', others.map((member) => `${host}:${member.mqttPort}`).join(','));
  } else if (first.length > 1) {
    args.push('--peers', first.map((peer) => `${peer.name}=${host}:${peer.mqttPort}`).join(','));
  }
  args.push('--secret-file', secretFile, '--log-level', logLevel);
  if (layout.replicationFactor !== undefined) {
    args.push('--replication-factor', String(layout.replicationFactor));
  }
  if (layout.shards !== undefined) args.push('--shards', String(layout.shards));
  const { storageEngine, storageMaxBytes, verifyHours } = storage;
  if (storageEngine !== undefined) args.push('--storage-engine', storageEngine);
  if (storageMaxBytes !== undefined) args.push('--storage-max-bytes', storageMaxBytes);
  if (verifyHours !== undefined) args.push('--verify-hours', verifyHours);
  const { listen, advertise, anonymous, config } = reach;
  if (listen !== undefined) args.push('--listen', listen);
  if (advertise !== undefined) args.push('--advertise', advertise);
  if (anonymous === true) args.push('--anonymous');
  if (config !== undefined) args.push('--config', config);
  return args;
}

/** What makes a new node of one that was removed: what it holds counts no more. */
function joinAgain(
  node: NodeLayout,
  options: Omit<ClusterProcessOptions, 'onLog' | 'onStopped' | 'onRemoved'>,
): string {
  const args = nodeArguments({ ...node, joins: true }, options);
  const directory = quote(`${options.dataDir}/${node.name}`);
  return `rm -r ${directory} && ${commandLine(options.script, args)}`;
}

/** A line that can be pasted into a shell in this directory. */
export function commandLine(script: string, args: readonly string[]): string {
  const invoked = process.argv[1] ?? script;
  const onPath = /(^|\/)dss$/.test(invoked);
  const program = onPath ? ['dss'] : ['node', relative('.', resolve(script))];
  return [...program, ...args].map(quote).join(' ');
}

export function describeExit({ code, signal }: NodeExit): string {
  return signal ?? `exit code ${code}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
