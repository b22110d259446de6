import { isCorruption } from '../../lsm/corruption.ts';
import type { StorageEngine } from '../../lsm/engine.ts';
import type { Log } from '../../lsm/log/log.ts';
import { decodePositions } from './group-position.ts';
import type { ShardHost } from './host.ts';
import type { Replica } from './replica.ts';

export interface LogReleaseOptions {
  readonly log: Log;
  readonly engine: StorageEngine;
  readonly host: ShardHost;
  /** Beyond, it goes as far as it is flushed. */
  readonly logBytesMax: number;
}

/**
 * Lets go of log segments that nobody needs (DESIGN §5 ▣, Segments): flushed here, and on every follower that answers.
 * Beyond the budget the log goes as far as it is flushed, and who is left behind gets a snapshot.
 */
export class LogRelease {
  readonly #options: LogReleaseOptions;
  #isFlushing = false;
  #isRunning = false;

  constructor(options: LogReleaseOptions) {
    this.#options = options;
  }

  /**
   * Does nothing while it is still at it.
   * @throws {LsmError} CORRUPTION if entries that were to stay cannot be read; the next start finds them damaged
   */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      await this.#run();
    } catch (error) {
      if (isCorruption(error)) await this.#options.host.persist();
      throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(): Promise<void> {
    const { log, engine, host, logBytesMax } = this.#options;
    const isOver = log.segmentsBytes > logBytesMax;
    const flushed = decodePositions(engine.flushedPositions());
    let isBehind = false;
    for (const replica of host.replicas()) {
      if (replica.phase !== 'running') continue;
      const flushedIndex = flushed.get(replica.identity.group)?.appliedIndex ?? 0;
      const upTo = isOver ? flushedIndex : Math.min(flushedIndex, replica.raft.releasableIndex);
      this.#release(replica, upTo);
      if (!isOver) continue;
      if (flushedIndex < replica.state.appliedIndex) isBehind = true;
      else if (isStuck(replica)) await this.#moveUnapplied(replica);
    }
    if (isBehind) this.#flush();
    await log.collect();
  }

  #release(replica: Replica, upTo: number): void {
    const { raft, identity, state } = replica;
    // The tables of a removed replica may be further than this one, which has its place.
    const index = Math.min(upTo, state.appliedIndex);
    const term = raft.termAt(index);
    if (index <= raft.logStart.index || term === undefined) return;
    this.#options.log.release(identity.group, index, term);
    raft.compact(index);
  }

  /** A group without a quorum: what it cannot commit must not hold the segments of all the others. */
  async #moveUnapplied(replica: Replica): Promise<void> {
    const { log, host } = this.#options;
    const { group } = replica.identity;
    const isMoved = await log.moveToTail(group, replica.state.appliedIndex + 1);
    if (isMoved) await host.persist();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    const { engine } = this.#options;
    // An engine that cannot flush says so by an event, or fails the node.
    const end = () => {
      this.#isFlushing = false;
    };
    engine.flush().then(end, end);
  }
}

/** What follows in its log is not committed, or cannot be applied: it would hold its segments for ever. */
function isStuck({ raft, halted }: Replica): boolean {
  return raft.hasAppliedAll || halted !== undefined;
}
