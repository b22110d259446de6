import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import autocannon, { type Result } from 'autocannon';
import { CpuShare } from '../fanout/cpu-share.ts';
import { type ContenderName, DIALECTS, type Operation } from './contenders.ts';

export interface CannonOptions {
  readonly contender: ContenderName;
  readonly operation: Operation;
  /** One of each node. */
  readonly ports: readonly number[];
  /** Of all nodes together. */
  readonly connections: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly seconds: number;
}

export interface CannonResult {
  readonly answers: number;
  readonly perSecond: number;
  /** Other answers than 2xx, and none at all. */
  readonly failures: number;
  /** The worst node's. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core: near 1 the load is the limit. */
  readonly loadCpuShare: number;
}

export type CannonMessage =
  | { readonly kind: 'result'; readonly result: CannonResult }
  | { readonly kind: 'failed'; readonly message: string };

/** Requests that a connection sends in turn, chosen at random. */
const REQUESTS_PER_CONNECTION = 500;

/** One autocannon for each node, all at once, in this process. */
export async function runCannon(options: CannonOptions): Promise<CannonResult> {
  const cpu = new CpuShare();
  cpu.begin();
  const results = await fire(options);
  const sum = (pick: (result: Result) => number) =>
    results.reduce((total, result) => total + pick(result), 0);
  return {
    answers: sum((result) => result['2xx']),
    perSecond: sum((result) => result['2xx'] / result.duration),
    failures: sum(({ non2xx, errors, timeouts }) => non2xx + errors + timeouts),
    p50Ms: Math.max(...results.map(({ latency }) => latency.p50)),
    p99Ms: Math.max(...results.map(({ latency }) => latency.p99)),
    loadCpuShare: cpu.end(),
  };
}

function fire(options: CannonOptions): Promise<Result[]> {
  const { contender, operation, ports, connections, keys, valueBytes, seconds } = options;
  const { request } = DIALECTS[contender];
  const value = 'x'.repeat(valueBytes);
  const any = () => request(operation, Math.floor(Math.random() * keys), value);
  return Promise.all(
    ports.map((port) =>
      autocannon({
        url: `http://127.0.0.1:${port}`,
        connections: Math.round(connections / ports.length),
        duration: seconds,
        setupClient: (client) =>
          client.setRequests(Array.from({ length: REQUESTS_PER_CONNECTION }, any)),
      }),
    ),
  );
}

/** The same in a process of its own: one for all turns, so that its code is as warm in each. */
export class Cannon {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./cannon-process.js', import.meta.url)));
  }

  /** One at a time. */
  fire(options: CannonOptions): Promise<CannonResult> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('the load ended'));
      child.once('exit', onExit);
      child.once('message', (message: CannonMessage) => {
        child.off('exit', onExit);
        if (message.kind === 'result') resolve(message.result);
        else reject(new Error(`the load failed: ${message.message}`));
      });
      child.send(options);
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}
