import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a node tells the `dss up` above it: when every shard has a leader, and when it has left its cluster. */
export type NodeReport = UsableReport | { readonly event: 'left' };

export interface UsableReport {
  readonly event: 'usable';
  readonly tls: boolean;
  readonly users: boolean;
  /** Why somebody should look at how it can be reached. */
  readonly warnings: readonly string[];
}

export interface NodeProcessOptions {
  readonly name: string;
  /** The compiled `dss.js` and everything after it. */
  readonly script: string;
  readonly args: readonly string[];
  readonly onLog: (line: string) => void;
  readonly onUsable: (report: UsableReport) => void;
  readonly onLeft?: () => void;
  readonly onExit: (exit: NodeExit) => void;
}

/** A `dss node` child. */
export class NodeProcess {
  readonly name: string;
  readonly args: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<NodeExit>;
  exit: NodeExit | undefined;

  constructor(options: NodeProcessOptions) {
    this.name = options.name;
    this.args = options.args;
    // A process group of its own: Ctrl-C in the terminal reaches us alone, and we stop the nodes in order.
    // The channel tells the node when we are gone, however that happened.
    this.#child = spawn(process.execPath, [options.script, ...options.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    createInterface({ input: this.#child.stderr as Readable }).on('line', options.onLog);
    (this.#child.stdout as Readable).resume();
    this.#child.on('message', (message) => {
      const report = message as NodeReport;
      if (report.event === 'usable') options.onUsable(report);
      else if (report.event === 'left') options.onLeft?.();
    });
    this.#exited = new Promise((resolve) => {
      // 'close' comes after the last line of the log.
      this.#child.once('close', (code, signal) => {
        this.exit = { code, signal };
        options.onExit(this.exit);
        resolve(this.exit);
      });
    });
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  async stop(graceMs: number): Promise<void> {
    if (this.exit) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }
}
