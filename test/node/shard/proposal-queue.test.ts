import { describe, expect, it } from 'vitest';
import type { Raft } from '../../../node/raft/raft.ts';
import type { Proposal } from '../../../node/raft/types.ts';
import { parseWriteEntry } from '../../../node/shard/entry.ts';
import { ProposalQueue } from '../../../node/shard/proposal-queue.ts';
import type { ForwardOutcome } from '../../../node/shard/replica.ts';
import { Streams } from '../../../node/shard/streams.ts';
import { batchOf } from '../support.ts';

const [A, B] = ['a'.repeat(16), 'b'.repeat(16)];

class Fixture {
  readonly entries: Uint8Array[] = [];
  readonly outcomes: ForwardOutcome[] = [];
  readonly accepted: number[] = [];
  readonly log = { term: 1, streams: new Streams(), highestVersion: 1_000 };
  roomBytes = Number.POSITIVE_INFINITY;
  readonly queue = new ProposalQueue();

  add(node: string, number: number, value = 'v', crc?: number): void {
    const batch = batchOf([['key', value]], { node, number });
    const done = (outcome: ForwardOutcome) => void this.outcomes.push(outcome);
    this.queue.add({ batch: crc === undefined ? batch : { ...batch, crc }, done });
  }

  propose(): void {
    const raft = {
      hasRoomFor: (bytes: number) => bytes <= this.roomBytes,
      propose: (entries: readonly Proposal[]) => {
        for (const { data } of entries) this.entries.push(data);
        return { kind: 'accepted', firstIndex: 1, term: 1 };
      },
    };
    this.queue.propose(raft as unknown as Raft, this.log, 0, ({ batch }) => {
      this.accepted.push(batch.number);
    });
  }

  /** Of each entry, the batches as `node:number@version`. */
  get sections(): string[][] {
    return this.entries.map((data) =>
      (parseWriteEntry(data) ?? []).map(
        ({ node, number, baseVersion }) => `${node[0]}:${number}@${baseVersion}`,
      ),
    );
  }
}

describe('batches that wait for a leader', () => {
  it('become one entry, in the order they came, with versions that run on', () => {
    const fixture = new Fixture();
    fixture.add(A, 1);
    fixture.add(B, 1);
    fixture.add(A, 2);
    fixture.propose();
    expect(fixture.sections).toEqual([['a:1@1001', 'b:1@1002', 'a:2@1003']]);
    expect(fixture.log.highestVersion).toBe(1_003);
    expect(fixture.queue.isEmpty).toBe(true);
  });

  it('are proposed only if they are the next of their stream; a repeated one is not again', () => {
    const fixture = new Fixture();
    fixture.add(A, 2);
    fixture.add(A, 1);
    fixture.add(A, 1);
    fixture.add(B, 1, 'v', 77);
    fixture.propose();
    expect(fixture.sections).toEqual([['a:1@1001']]);
    expect(fixture.accepted).toEqual([1, 1]);
    expect(fixture.outcomes).toEqual([
      { kind: 'out-of-order', expectedNumber: 1 },
      { kind: 'bad-batch' },
    ]);
  });

  it('are refused as busy when there is no room, and none of their stream goes before them', () => {
    const fixture = new Fixture();
    fixture.roomBytes = 500;
    fixture.add(A, 1, 'v'.repeat(600));
    fixture.add(A, 2);
    fixture.add(B, 1);
    fixture.propose();
    expect(fixture.sections).toEqual([['b:1@1001']]);
    expect(fixture.outcomes).toEqual([
      { kind: 'busy' },
      { kind: 'out-of-order', expectedNumber: 1 },
    ]);
  });

  it('are cut into entries that fit a message, and are long before that', () => {
    const fixture = new Fixture();
    for (let number = 1; number <= 3; number++) {
      expect(fixture.queue.isLong).toBe(number > 1);
      fixture.add(A, number, 'v'.repeat(300_000));
    }
    fixture.propose();
    expect(fixture.sections.map(({ length }) => length)).toEqual([1, 1, 1]);
  });
});
