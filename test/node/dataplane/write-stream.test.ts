import { describe, expect, it } from 'vitest';
import type { WriteSink } from '../../../broker/data-plane.ts';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { BATCH_BYTES_MAX } from '../../../node/dataplane/gathered-batch.ts';
import {
  FOLLOWING_BYTES_MIN,
  IN_FLIGHT_BATCHES_MAX,
  RESEND_AFTER_MS,
  type SealedBatch,
  WriteStream,
} from '../../../node/dataplane/write-stream.ts';
import { WriteBatchCursor } from '../../../node/shard/write-batch.ts';
import { text, utf8 } from '../support.ts';

const DEADLINE_MS = 10_000;
const LONG_VALUE = 'v'.repeat(FOLLOWING_BYTES_MIN);

class Fixture {
  nowMs = 0;
  readonly sent: SealedBatch[] = [];
  readonly outcomes: string[] = [];
  readonly stream = new WriteStream({
    nowMs: () => this.nowMs,
    send: (batch) => void this.sent.push(batch),
    committed: (writes, afterMs) => void this.latencies.push([writes, afterMs]),
    unanswered: () => {
      this.unansweredCount += 1;
    },
  });
  unansweredCount = 0;
  readonly latencies: [number, number][] = [];

  sink(name: string): WriteSink {
    return {
      writeCommitted: (token, version) =>
        void this.outcomes.push(`${name}${token} committed ${version}`),
      writeFailed: (token, failure) => void this.outcomes.push(`${name}${token} ${failure}`),
      writesDrained: () => {},
    };
  }

  /** As much as a batch needs to follow another. */
  add(sink: WriteSink, token: number, key: string, value = LONG_VALUE): void {
    const bytes = utf8(key + value);
    const keyEnd = utf8(key).length;
    this.stream.add(sink, token, bytes, 0, keyEnd, keyEnd, bytes.length, 0);
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.nowMs += 100;
      this.stream.tick(this.nowMs, DEADLINE_MS);
    }
  }

  get numbers(): number[] {
    return this.sent.map(({ number }) => number);
  }
}

function keysOf({ bytes, count, crc }: SealedBatch): string[] {
  const cursor = new WriteBatchCursor(bytes, 0, bytes.length);
  const keys: string[] = [];
  while (cursor.next()) keys.push(text(bytes.slice(cursor.keyStart, cursor.keyEnd)));
  expect(keys).toHaveLength(count);
  expect(crc32c(bytes)).toBe(crc);
  return keys;
}

describe('a write stream', () => {
  it('says how long each batch took from its first write on, but not of what was given up', () => {
    const fixture = new Fixture();
    fixture.add(fixture.sink('a'), 1, 'k1');
    fixture.pass(200);
    fixture.add(fixture.sink('a'), 2, 'k2');
    fixture.add(fixture.sink('a'), 3, 'k3');
    fixture.pass(100);
    fixture.stream.answered(2, { kind: 'committed', baseVersion: 100 });
    expect(fixture.latencies).toEqual([
      [1, 300],
      [2, 100],
    ]);
    fixture.add(fixture.sink('a'), 4, 'k4');
    fixture.pass(DEADLINE_MS);
    fixture.stream.answered(3, { kind: 'committed', baseVersion: 200 });
    expect(fixture.latencies).toHaveLength(2);
  });

  it('gathers what is written in a turn in one batch and acknowledges each write with its version', () => {
    const fixture = new Fixture();
    const [a, b] = [fixture.sink('a'), fixture.sink('b')];
    fixture.add(a, 1, 'x');
    fixture.add(b, 7, 'y');
    fixture.add(a, 2, 'z');
    expect(fixture.sent).toEqual([]);
    fixture.stream.pump();
    expect(keysOf(fixture.sent[0] as SealedBatch)).toEqual(['x', 'y', 'z']);
    fixture.stream.answered(1, { kind: 'committed', baseVersion: 500 });
    expect(fixture.outcomes).toEqual(['a1 committed 500', 'b7 committed 501', 'a2 committed 502']);
    expect(fixture.stream.isIdle).toBe(true);
    expect(fixture.stream.queuedBytes).toBe(0);
  });

  it('has so many batches on their way; more gathers and leaves when there is room', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    const window = Array.from({ length: IN_FLIGHT_BATCHES_MAX }, (_, i) => i + 1);
    for (let i = 1; i <= IN_FLIGHT_BATCHES_MAX + 3; i++) {
      fixture.add(sink, i, `k${i}`);
      fixture.stream.pump();
    }
    expect(fixture.numbers).toEqual(window);
    fixture.stream.answered(1, { kind: 'committed', baseVersion: 10 });
    expect(fixture.numbers.at(-1)).toBe(window.length + 1);
    const waited = window.length;
    expect(keysOf(fixture.sent.at(-1) as SealedBatch)).toEqual([
      `k${waited + 1}`,
      `k${waited + 2}`,
      `k${waited + 3}`,
    ]);
  });

  it('gathers behind a batch that is on its way until it is as long, or that is answered', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    const add = (token: number) => {
      fixture.add(sink, token, `k${token}`, 'v');
      fixture.stream.pump();
    };
    fixture.add(sink, 0, 'k0', 'v');
    add(1);
    add(2);
    expect(fixture.numbers).toEqual([1]);
    add(3);
    expect(fixture.numbers).toEqual([1, 2]);
    expect(keysOf(fixture.sent[1] as SealedBatch)).toEqual(['k2', 'k3']);
    add(4);
    fixture.stream.answered(2, { kind: 'committed', baseVersion: 10 });
    expect(keysOf(fixture.sent[2] as SealedBatch)).toEqual(['k4']);
  });

  it('has at most 1 MiB on its way, and cuts what gathers into batches that fit a message', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    const value = 'x'.repeat(60_000);
    for (let i = 0; i < 100; i++) fixture.add(sink, i, `k${i}`, value);
    fixture.stream.pump();
    const inFlight = () => fixture.sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(inFlight()).toBeLessThanOrEqual(1024 * 1024);
    expect(fixture.stream.queuedBytes).toBeGreaterThan(100 * 60_000);
    for (let number = 1; !fixture.stream.isIdle; number++) {
      fixture.stream.answered(number, { kind: 'committed', baseVersion: number * 1_000 });
    }
    for (const { bytes } of fixture.sent) expect(bytes.length).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    expect(fixture.sent.flatMap(keysOf)).toEqual(Array.from({ length: 100 }, (_, i) => `k${i}`));
    expect(fixture.outcomes).toHaveLength(100);
    expect(fixture.stream.queuedBytes).toBe(0);
  });

  it('sends a write that is larger than a batch alone', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    fixture.add(sink, 1, 'small');
    fixture.add(sink, 2, 'large', 'x'.repeat(1024 * 1024));
    fixture.add(sink, 3, 'small too');
    fixture.stream.pump();
    fixture.stream.answered(1, { kind: 'committed', baseVersion: 1 });
    fixture.stream.answered(2, { kind: 'committed', baseVersion: 2 });
    expect(fixture.sent.map(keysOf)).toEqual([['small'], ['large'], ['small too']]);
  });

  it('takes an answer for one batch for all before it: a lost answer is not missed', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    for (let i = 1; i <= 2; i++) {
      fixture.add(sink, i, `k${i}`);
      fixture.stream.pump();
    }
    fixture.stream.answered(2, { kind: 'committed', baseVersion: 900 });
    expect(fixture.outcomes).toEqual(['s1 committed 0', 's2 committed 900']);
    fixture.stream.answered(1, { kind: 'committed', baseVersion: 800 });
    expect(fixture.outcomes, 'an answer that comes late changes nothing').toHaveLength(2);
  });

  it('sends again, under the same numbers, what gets no answer', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    for (let i = 1; i <= 2; i++) {
      fixture.add(sink, i, `k${i}`);
      fixture.stream.pump();
    }
    fixture.pass(RESEND_AFTER_MS - 100);
    expect(fixture.numbers).toEqual([1, 2]);
    fixture.pass(100);
    expect(fixture.numbers).toEqual([1, 2, 1, 2]);
    expect(fixture.sent[2]).toBe(fixture.sent[0]);
    expect(fixture.unansweredCount, 'a node that is gone is not asked for ever').toBe(1);
  });

  it.each(['not-leader', 'busy', 'out-of-order', 'bad-batch'] as const)(
    'sends everything again, in order and once, after the answer %s',
    (kind) => {
      const fixture = new Fixture();
      const sink = fixture.sink('s');
      for (let i = 1; i <= 2; i++) {
        fixture.add(sink, i, `k${i}`);
        fixture.stream.pump();
      }
      for (let number = 1; number <= 2; number++) {
        fixture.stream.answered(number, { kind, leader: undefined, expectedNumber: 1 } as never);
      }
      expect(fixture.numbers).toEqual([1, 2]);
      fixture.pass(100);
      expect(fixture.numbers).toEqual([1, 2, 1, 2]);
      expect(fixture.outcomes).toEqual([]);
    },
  );

  it('gives writes up at the deadline, but keeps their number: the stream has no gap', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    fixture.add(sink, 1, 'old');
    fixture.stream.pump();
    fixture.pass(5_000);
    fixture.add(sink, 2, 'newer');
    fixture.stream.pump();
    fixture.pass(5_000);
    expect(fixture.outcomes).toEqual(['s1 no-quorum']);
    expect(fixture.numbers.slice(-2)).toEqual([1, 2]);
    fixture.stream.answered(2, { kind: 'committed', baseVersion: 5 });
    expect(fixture.outcomes).toEqual(['s1 no-quorum', 's2 committed 5']);
  });

  it('gives up what has no number yet without a trace', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    const window = IN_FLIGHT_BATCHES_MAX;
    for (let i = 1; i <= window + 1; i++) {
      fixture.add(sink, i, `k${i}`);
      fixture.stream.pump();
    }
    fixture.pass(DEADLINE_MS);
    expect(fixture.outcomes).toHaveLength(window + 1);
    fixture.stream.answered(window, { kind: 'committed', baseVersion: 1 });
    expect(Math.max(...fixture.numbers)).toBe(window);
    expect(fixture.stream.isIdle).toBe(true);
  });

  it('drops what a closed connection wrote, if it has no number yet, and reports nothing of it', () => {
    const fixture = new Fixture();
    const [gone, here] = [fixture.sink('gone'), fixture.sink('here')];
    const window = IN_FLIGHT_BATCHES_MAX;
    for (let i = 1; i <= window; i++) {
      fixture.add(gone, i, `sealed${i}`);
      fixture.stream.pump();
    }
    for (let i = 0; i < 6; i++) fixture.add(i % 2 === 0 ? gone : here, 100 + i, `open${i}`);
    const queued = fixture.stream.queuedBytes;
    fixture.stream.forget(gone);
    expect(fixture.stream.queuedBytes).toBeLessThan(queued);
    fixture.stream.answered(window, { kind: 'committed', baseVersion: 1 });
    expect(keysOf(fixture.sent.at(-1) as SealedBatch)).toEqual(['open1', 'open3', 'open5']);
    fixture.stream.answered(window + 1, { kind: 'committed', baseVersion: 50 });
    expect(fixture.outcomes).toEqual([
      'here101 committed 50',
      'here103 committed 51',
      'here105 committed 52',
    ]);
  });

  it('that stops fails everything once', () => {
    const fixture = new Fixture();
    const sink = fixture.sink('s');
    fixture.add(sink, 1, 'sealed');
    fixture.stream.pump();
    fixture.add(sink, 2, 'open');
    fixture.stream.stop();
    fixture.stream.stop();
    expect(fixture.outcomes).toEqual(['s1 stopping', 's2 stopping']);
  });
});
