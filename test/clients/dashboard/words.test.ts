import { describe, expect, it } from 'vitest';
import type { ClusterDocument } from '../../../clients/dashboard/model/documents.ts';
import * as format from '../../../clients/dashboard/model/format.ts';
import { progressOf } from '../../../clients/dashboard/model/progress.ts';
import { ReachTracker, troubleOf } from '../../../clients/dashboard/model/reach.ts';
import { bandsOf, sectorPath } from '../../../clients/dashboard/model/ring-shape.ts';
import { summaryOf } from '../../../clients/dashboard/model/summary.ts';

/** Three nodes, seen from n1, and two shards. */
function cluster(options: { failed?: string[]; leaderless?: number; state?: string } = {}) {
  const { failed = [], leaderless = 0, state = 'ok' } = options;
  return {
    node: { id: 'n1', name: 'n1' },
    cluster: { id: 'c', state, durability: { copies: 2, replicas: 3 } },
    nodes: ['n1', 'n2', 'n3'].map((name) => ({
      ...{ id: name, name, state: failed.includes(name) ? 'failed' : 'active' },
    })),
    shards: [0, 1].map((group) => ({ group, leader: group < leaderless ? null : 'n1' })),
    alerts: [],
  } as unknown as ClusterDocument;
}

describe('the cluster in words', () => {
  it('is well', () => {
    expect(summaryOf(cluster())).toEqual({
      health: 'ok',
      headline: 'All 3 nodes are up, and every shard has a leader.',
      durability: 'An acknowledged write is on 2 disks at once and on 3 soon after.',
    });
  });

  it('has something to look at', () => {
    const alerts = [{ severity: 'warning' }] as unknown as ClusterDocument['alerts'];
    expect(summaryOf({ ...cluster(), alerts })).toMatchObject({
      health: 'warning',
      headline: 'All 3 nodes are up; 1 alert.',
    });
  });

  it('names who is missing', () => {
    const { health, headline, durability } = summaryOf(
      cluster({ failed: ['n2'], state: 'degraded' }),
    );
    expect(durability).toContain('is on 2 disks; the other copies wait until n2');
    expect(health).toBe('warning');
    expect(headline).toBe('n2 is not heard. Every shard is served by the others.');
  });

  it('counts what nobody serves', () => {
    const { health, headline } = summaryOf(cluster({ leaderless: 1, state: 'no-quorum' }));
    expect({ health, headline }).toEqual({
      health: 'critical',
      headline: '1 of 2 shards without a leader.',
    });
  });
});

describe('what makes the page doubtful', () => {
  const answering = { kind: 'answering' } as const;

  it('is nothing while the node answers and has a quorum', () => {
    expect(troubleOf(answering, cluster(), undefined)).toBeUndefined();
    expect(troubleOf({ kind: 'asking' }, undefined, undefined)).toBeUndefined();
  });

  it('is that the node is silent, since it was', () => {
    const reach = { kind: 'silent', sinceMs: 5_000, why: 'No answer within 4 s.' } as const;
    expect(troubleOf(reach, cluster(), undefined)).toMatchObject({
      severity: 'critical',
      title: 'n1 does not answer',
      sinceMs: 5_000,
    });
  });

  it('is that it is cut off from the others', () => {
    const document = cluster({ failed: ['n2', 'n3'], leaderless: 2, state: 'no-quorum' });
    const trouble = troubleOf(answering, document, 7_000);
    expect(trouble?.title).toBe('n1 is cut off from the cluster');
    expect(trouble?.detail).toContain('nothing of n2 and n3.');
    expect(trouble?.sinceMs).toBe(7_000);
  });

  it('is that shards have no quorum', () => {
    const document = cluster({ failed: ['n2'], leaderless: 1, state: 'no-quorum' });
    expect(troubleOf(answering, document, 7_000)?.title).toBe('No quorum for 1 of 2 shards');
  });
});

describe('whether the node answers', () => {
  const ok = { kind: 'ok' } as const;
  const late = { kind: 'silent', isLate: true, detail: 'late' } as const;
  const gone = { kind: 'silent', isLate: false, detail: 'gone' } as const;

  it('is doubted after two late answers, since the first of them', () => {
    const tracker = new ReachTracker();
    expect(tracker.next(late, 1)).toEqual({ kind: 'asking' });
    expect(tracker.next(ok, 2)).toEqual({ kind: 'answering' });
    expect(tracker.next(late, 3)).toEqual({ kind: 'answering' });
    expect(tracker.next(late, 4)).toEqual({ kind: 'silent', sinceMs: 3, why: 'late' });
    expect(tracker.next(gone, 5)).toEqual({ kind: 'silent', sinceMs: 3, why: 'late' });
    expect(tracker.next(ok, 6)).toEqual({ kind: 'answering' });
  });

  it('is clear when the connection is refused, or the user is', () => {
    const tracker = new ReachTracker();
    expect(tracker.next(gone, 1)).toEqual({ kind: 'silent', sinceMs: 1, why: 'gone' });
    const refused = { kind: 'refused', detail: 'who are you?' } as const;
    expect(tracker.next(refused, 2)).toEqual(refused);
  });
});

describe('numbers', () => {
  it.each([
    [format.count(1204), '1,204'],
    [format.count(null), '–'],
    [format.rate(0.42), '0.42'],
    [format.rate(214.2), '214'],
    [format.rate(12_440), '12.4 k'],
    [format.bytes(431 * 1024 * 1024), '431 MiB'],
    [format.bytes(1020), '1.0 KiB'],
    [format.duration(0.84), '0.8 ms'],
    [format.duration(12_900), '12 s'],
    [format.duration(7_500_000), '2 h 5 min'],
    [format.duration(undefined), '–'],
    [format.listed(['a', 'b', 'c']), 'a, b and c'],
    [format.plural(1, 'shard'), '1 shard'],
  ])('%s', (text, expected) => expect(text).toBe(expected));

  it('of times are of today, or have their day', () => {
    const at = new Date(2026, 10, 20, 8, 5, 9).getTime();
    expect(format.clock(at, at)).toBe('08:05:09');
    expect(format.clock(at, at + 86_400_000)).toBe('2026-11-20 08:05:09');
    expect(format.timeOf('2026-11-20T08:00:00Z')).toBe(Date.UTC(2026, 10, 20, 8));
    expect(format.timeOf('soon')).toBeUndefined();
  });
});

describe('the ring', () => {
  it('draws a whole turn, too', () => {
    const whole = sectorPath({ begin: 0, end: 1 }, { inner: 10, outer: 20 });
    expect(whole).toMatch(/^M0 -20A20 20 0 1 1 -0\.01 -20L/);
  });

  it('has room for each node', () => {
    for (const amount of [1, 3, 12]) {
      const bands = bandsOf(amount, { inner: 90, outer: 240, gap: 5 });
      expect(bands).toHaveLength(amount);
      expect(bands.at(-1)?.inner).toBeGreaterThanOrEqual(89.99);
      expect(bands.every(({ inner, outer }) => outer > inner)).toBe(true);
    }
  });
});

describe('a move', () => {
  const move = { decidedAtMs: 1_000, msLeft: 3_000 } as Parameters<typeof progressOf>[0];

  it('is as far as its own estimate says', () => {
    expect(progressOf(move, 2_000)).toBe(0.25);
    expect(progressOf({ ...move, msLeft: null }, 2_000)).toBeUndefined();
    expect(progressOf({ ...move, decidedAtMs: null }, 2_000)).toBeUndefined();
  });
});
