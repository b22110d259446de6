import type { Log } from '../../lsm/log/log.ts';
import type { Fetch } from '../raft/types.ts';
import type { Applying } from './applying.ts';
import type { Replica } from './replica.ts';

const READ_BYTES_MAX = 1024 * 1024;

/** Entries that are no longer in memory, or not yet again: they are read back from the log. */
export class LoggedEntries {
  readonly #log: Log;
  readonly #applying: Applying;
  readonly #isStopped: () => boolean;
  readonly #onFetched: (replica: Replica) => void;
  readonly #onFailed: (error: unknown) => void;

  constructor(options: {
    readonly log: Log;
    readonly applying: Applying;
    readonly isStopped: () => boolean;
    readonly onFetched: (replica: Replica) => void;
    readonly onFailed: (error: unknown) => void;
  }) {
    this.#log = options.log;
    this.#applying = options.applying;
    this.#isStopped = options.isStopped;
    this.#onFetched = options.onFetched;
    this.#onFailed = options.onFailed;
  }

  /** Committed entries whose bytes are only in the log: after a restart, or of a replica that applies slowly. */
  async apply(
    replica: Replica,
    range: { readonly firstIndex: number; readonly lastIndex: number },
  ): Promise<void> {
    const { group } = replica.identity;
    try {
      let next = range.firstIndex;
      while (next <= range.lastIndex && replica.mayApply && !this.#isStopped()) {
        const entries = await this.#log.read(group, next, range.lastIndex, READ_BYTES_MAX);
        // It may have been removed meanwhile, and its log with it.
        if (!replica.mayApply || this.#isStopped()) return;
        if (entries.length === 0) throw new Error(`committed entry ${next} is not in the log`);
        replica.applyQueue.push(...entries);
        this.#applying.add(replica);
        next += entries.length;
        void this.#applying.run();
        await replica.whenApplied(next - 1);
      }
    } catch (error) {
      this.#onFailed(error);
    }
  }

  /** A follower is so far behind that it needs them. */
  async fetch(replica: Replica, fetch: Fetch): Promise<void> {
    const { group } = replica.identity;
    const { firstIndex, lastIndex } = fetch;
    try {
      const entries = await this.#log.read(group, firstIndex, lastIndex, READ_BYTES_MAX);
      if (this.#isStopped() || replica.phase === 'gone') return;
      replica.raft.fetched(fetch, entries);
      this.#onFetched(replica);
    } catch (error) {
      this.#onFailed(error);
    }
  }
}
