import type {
  CompareAndSet,
  CompareAndSetOutcome,
  DataPlane,
  GetOptions,
  GetOutcome,
  HistoryOutcome,
  HistoryQuery,
  ListOutcome,
  ListQuery,
  Watch,
  Watcher,
  WatchPosition,
  WriteSink,
} from '../../broker/data-plane.ts';
import type { Env } from '../env.ts';

interface WaitingWatch {
  readonly filter: string;
  readonly watcher: Watcher;
  readonly after: WatchPosition | undefined;
  watch?: Watch;
}

/**
 * What the broker talks to from its first connection on, which is before the node has joined its cluster.
 * Until then nothing is acknowledged and reads are unavailable; watches are opened when the time comes.
 */
export class DataPlaneUntilJoined implements DataPlane {
  readonly #env: Env;
  #joined: DataPlane | undefined;
  readonly #waiting = new Set<WaitingWatch>();

  constructor(env: Env) {
    this.#env = env;
  }

  joined(dataPlane: DataPlane): void {
    this.#joined = dataPlane;
    for (const waiting of this.#waiting) {
      const { filter, watcher, after } = waiting;
      waiting.watch = dataPlane.watch(filter, watcher, after);
    }
    this.#waiting.clear();
  }

  write(
    sink: WriteSink,
    token: number,
    buffer: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    time = 0,
    ttlMs = 0,
  ): boolean {
    const joined = this.#joined;
    if (joined !== undefined) {
      return joined.write(sink, token, buffer, keyStart, keyEnd, valueStart, valueEnd, time, ttlMs);
    }
    this.#env.yield(() => sink.writeFailed(token, 'no-quorum'));
    return true;
  }

  forget(sink: WriteSink): void {
    this.#joined?.forget(sink);
  }

  async compareAndSet(request: CompareAndSet): Promise<CompareAndSetOutcome> {
    return this.#joined?.compareAndSet(request) ?? { kind: 'failed', failure: 'no-quorum' };
  }

  async get(key: Uint8Array, options?: GetOptions): Promise<GetOutcome> {
    return this.#joined?.get(key, options) ?? { kind: 'unavailable' };
  }

  async history(query: HistoryQuery): Promise<HistoryOutcome> {
    return this.#joined?.history(query) ?? { kind: 'unavailable' };
  }

  async list(query: ListQuery): Promise<ListOutcome> {
    return this.#joined?.list(query) ?? { kind: 'unavailable' };
  }

  watch(filter: string, watcher: Watcher, after?: WatchPosition): Watch {
    if (this.#joined !== undefined) return this.#joined.watch(filter, watcher, after);
    const waiting: WaitingWatch = { filter, watcher, after };
    this.#waiting.add(waiting);
    return {
      position: () => waiting.watch?.position() ?? new Map(),
      close: () => {
        this.#waiting.delete(waiting);
        waiting.watch?.close();
      },
    };
  }
}
