import assert from 'node:assert/strict';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import type { Raft } from '../raft/raft.ts';
import { EntryKind } from '../raft/types.ts';
import {
  encodeWriteEntry,
  type ForwardedBatch,
  SECTION_HEADER_BYTES,
  type VersionedBatch,
} from './entry.ts';
import type { ForwardOutcome } from './replica.ts';
import type { Streams } from './streams.ts';
import { baseVersion } from './version.ts';
import { needsOf } from './write-batch.ts';

/** An entry is one message to another node, which takes 1 MiB or one entry (DESIGN §6). */
const ENTRY_BYTES_MAX = 512 * 1024;
const LONG_BYTES = 64 * 1024;

/** What a leader's log holds beyond what is applied: its next proposals continue from here. */
export interface ProposedLog {
  readonly term: number;
  readonly streams: Streams;
  highestVersion: number;
}

/** A batch, and whom to tell what became of it, once. */
export interface WaitingBatch {
  readonly batch: ForwardedBatch;
  readonly done: (outcome: ForwardOutcome) => void;
}

/**
 * Batches that have come to a leader and are in no entry yet. An entry costs every replica the same whether it
 * holds one write or a thousand, so all that came while the entry before was on its way become one, in the order
 * they came.
 */
export class ProposalQueue {
  #waiting: WaitingBatch[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** It is long enough for an entry of its own: nothing is won by waiting for more. */
  get isLong(): boolean {
    return this.#bytes >= LONG_BYTES;
  }

  add(waiting: WaitingBatch): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.batch.bytes.length;
  }

  refuse(outcome: ForwardOutcome): void {
    for (const { done } of this.#take()) done(outcome);
  }

  /**
   * Proposes what waits, as far as each batch is the next of its stream (DESIGN §5 ▣, Forwarding). `accepted` gets
   * those that are in the log now, this time or since before.
   */
  propose(
    raft: Raft,
    log: ProposedLog,
    nowMs: number,
    accepted: (waiting: WaitingBatch) => void,
  ): void {
    let sections: VersionedBatch[] = [];
    let bytes = 0;
    const append = () => {
      if (sections.length === 0) return;
      const data = encodeWriteEntry(sections);
      const { kind } = raft.propose([{ kind: EntryKind.write, data }]);
      assert(kind === 'accepted', 'there was room for it');
      sections = [];
      bytes = 0;
    };
    for (const waiting of this.#take()) {
      const length = SECTION_HEADER_BYTES + waiting.batch.bytes.length;
      if (bytes > 0 && bytes + length > ENTRY_BYTES_MAX) append();
      const section = nextSection(waiting.batch, log, nowMs);
      if (section === 'seen') {
        accepted(waiting);
      } else if ('kind' in section) {
        waiting.done(section);
      } else if (!raft.hasRoomFor(bytes + length)) {
        waiting.done({ kind: 'busy' });
      } else {
        const { node, startCounter, number, count } = waiting.batch;
        log.streams.advance(node, startCounter, number);
        log.highestVersion = section.baseVersion + count - 1;
        sections.push(section);
        bytes += length;
        accepted(waiting);
      }
    }
    append();
  }

  #take(): readonly WaitingBatch[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return waiting;
  }
}

/** What arrived is what its origin built, and every replica will be able to apply it; or why it is not proposed. */
function nextSection(
  batch: ForwardedBatch,
  log: ProposedLog,
  nowMs: number,
): VersionedBatch | ForwardOutcome | 'seen' {
  const { bytes, crc, count } = batch;
  const verdict = log.streams.judge(batch.node, batch.startCounter, batch.number);
  if (verdict.kind === 'seen') return 'seen';
  if (verdict.kind === 'gap') return { kind: 'out-of-order', expectedNumber: verdict.expected };
  if (verdict.kind === 'ended') return { kind: 'bad-batch' };
  const needs = crc32c(bytes) === crc ? needsOf(bytes, 0, bytes.length, count) : undefined;
  if (needs === undefined) return { kind: 'bad-batch' };
  return { batch, baseVersion: baseVersion(nowMs, log.highestVersion), needs };
}
