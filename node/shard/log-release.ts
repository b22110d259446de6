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
  /** Replicas that cannot be trusted: what the log holds of them stays, for `dss recover`. */
  readonly suspects: () => readonly { readonly group: number }[];
  /** Beyond, it goes as far as it is flushed. */
  readonly logBytesMax: number;
  /** What the log may take for the sake of followers that are being brought up to date. */
  readonly catchUpBytesMax: number;
}

/** What stays in the log although that is beyond its budget. */
interface Kept {
  /** Of these groups all that is left is written again where it holds no old segment. */
  readonly movable: readonly { readonly group: number; readonly isSuspect: boolean }[];
  /** Groups led here, with followers that are waited for. */
  readonly awaited: ReadonlySet<number>;
  /** What the log cannot be without: so much more than its budget it may take. */
  readonly bytes: number;
}

const NOTHING: Kept = { movable: [], awaited: new Set(), bytes: 0 };

/** A move is one round, and all other groups wait for it: a part of the budget that is written in about a second. */
const MOVED_PART_MAX = 1 / 4;

/**
 * Lets go of log segments that nobody needs (DESIGN §5 ▣, Segments): flushed here, and on every follower that answers.
 *
 * Beyond the budget the log goes as far as it is flushed, and who is left behind gets a snapshot. But what is not
 * committed, and what belongs to replicas that are not at work, cannot go: it is moved to the tail. So is what a follower
 * needs after a snapshot: without it that one would need the next snapshot at once, as long as there is any load. Where
 * that has become much, a new snapshot costs less.
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
    const flushed = decodePositions(engine.flushedPositions());
    const flushedIndexOf = (replica: Replica) =>
      flushed.get(replica.identity.group)?.appliedIndex ?? 0;
    const kept = log.segmentsBytes > logBytesMax ? this.#kept(flushedIndexOf) : NOTHING;
    const bytesMax = logBytesMax + kept.bytes;
    const isOver = log.segmentsBytes > bytesMax;
    let isBehind = false;
    for (const replica of host.replicas()) {
      if (replica.phase !== 'running') continue;
      const flushedIndex = flushedIndexOf(replica);
      const isAwaited = !isOver || kept.awaited.has(replica.identity.group);
      this.#release(
        replica,
        isAwaited ? Math.min(flushedIndex, replica.raft.releasableIndex) : flushedIndex,
      );
      if (flushedIndex < replica.state.appliedIndex) isBehind = true;
    }
    if (isOver && isBehind) this.#flush();
    if (isOver) await this.#move(kept, bytesMax);
    await log.collect();
  }

  #kept(flushedIndexOf: (replica: Replica) => number): Kept {
    const { log, host, suspects, logBytesMax, catchUpBytesMax } = this.#options;
    const movable: Kept['movable'][number][] = [];
    const awaited = new Set<number>();
    let movableBytes = 0;
    let catchUpBytes = 0;
    let inPlaceBytes = 0;
    const addMovable = (group: number, firstIndex: number, isSuspect: boolean) => {
      movable.push({ group, isSuspect });
      movableBytes += log.bytesFrom(group, firstIndex);
    };
    for (const { group } of suspects()) addMovable(group, 1, true);
    for (const replica of host.replicas()) {
      const { raft, state, phase, identity } = replica;
      const { group } = identity;
      const flushedIndex = flushedIndexOf(replica);
      if (phase !== 'running') addMovable(group, 1, false);
      else if (raft.role === 'leader' && raft.releasableIndex < flushedIndex) {
        const bytes = log.bytesFrom(group, raft.releasableIndex + 1);
        const heldBytes = log.heldBytes(group);
        const isSmall = bytes <= logBytesMax * MOVED_PART_MAX;
        if (isSmall && catchUpBytes + bytes <= catchUpBytesMax) {
          catchUpBytes += bytes;
          awaited.add(group);
          addMovable(group, raft.releasableIndex + 1, false);
        } else if (heldBytes <= catchUpBytesMax) {
          awaited.add(group);
          inPlaceBytes = Math.max(inPlaceBytes, heldBytes);
        }
      } else if (flushedIndex >= state.appliedIndex && isStuck(replica)) {
        addMovable(group, state.appliedIndex + 1, false);
      }
    }
    return { movable, awaited, bytes: movableBytes + inPlaceBytes };
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

  /** Only what holds more than the log may take: so a whole budget is written between two moves of the same. */
  async #move({ movable }: Kept, bytesMax: number): Promise<void> {
    const { log, host } = this.#options;
    for (const { group, isSuspect } of movable) {
      if (log.heldBytes(group) <= bytesMax) continue;
      // The log of a suspect may be what is damaged, and must not end the node for all others.
      const isMoved = await log.moveToTail(group, { cutsAtDamage: isSuspect });
      if (isMoved) await host.persist();
    }
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
