import { roundAlignmentBytes } from './format.ts';
import type { Round } from './round-reader.ts';
import type { SegmentScan } from './segment-scan.ts';

/** Rounds that are missing although they were synced once. */
export interface Gap {
  readonly kind: 'gap';
  /** Where they were, or the first good round after them if their file is gone. */
  readonly segment: number;
  readonly offset: number;
  readonly reason: string;
}

/** What counts of the rounds that were found, and how the log goes on. */
export interface Recovery {
  /** The story of the log, in order. */
  readonly steps: readonly (Round | Gap)[];
  /** Rounds above it are undeclared: good, but perhaps in the page cache only. */
  readonly declaredRound: number;
  /** The last good round, 0 for none. */
  readonly recoveredRound: number;
  /** The number that the next opening round takes; all rounds from it on are then void. */
  readonly nextRound: number;
  readonly nextSegment: number;
  /** Segments after the last round that counts: torn when they were begun. */
  readonly tornSegments: readonly number[];
  readonly logId: Uint8Array | undefined;
  /** The newest round that can be read, even if it is torn: it knows which replicas there were. */
  readonly newest: Round | undefined;
  /** There are bytes, but no round; or replicas were lost at an earlier start. */
  readonly replicasLost: boolean;
}

/** The rules for reading of `lsm/FORMAT.md#rules-for-reading`, 1 to 3 and 7. */
export function recover(segments: readonly SegmentScan[]): Recovery {
  const declaredRound = highestDeclared(segments);
  const counting = withoutVoidRounds(withoutTornTail(segments, declaredRound));
  const last = counting.flatMap(({ rounds }) => rounds).at(-1);
  const newest = segments.flatMap(({ rounds }) => rounds).at(-1);
  if (last === undefined) return recoverNothing(segments);
  return {
    steps: withGaps(segments, counting, declaredRound),
    declaredRound,
    recoveredRound: last.number,
    nextRound: declaredRound + 1,
    logId: last.logId,
    nextSegment: last.segment + 1,
    tornSegments: segments.map(({ segment }) => segment).filter((number) => number > last.segment),
    newest,
    replicasLost: newest?.replicasLost === true,
  };
}

function recoverNothing(segments: readonly SegmentScan[]): Recovery {
  const nonEmpty = segments.filter(({ fileBytes }) => fileBytes > 0);
  // The opening round of a new log names no group and fills one block.
  const wasBeingCreated = nonEmpty.every(
    ({ segment, fileBytes }) => segment === 1 && fileBytes <= roundAlignmentBytes,
  );
  const lost = wasBeingCreated ? [] : nonEmpty;
  return {
    steps: lost.map(({ segment }) => ({
      kind: 'gap',
      segment,
      offset: 0,
      reason: 'no round can be read',
    })),
    declaredRound: 0,
    recoveredRound: 0,
    nextRound: 1,
    logId: undefined,
    nextSegment: Math.max(0, ...lost.map(({ segment }) => segment)) + 1,
    tornSegments: segments
      .filter((segment) => !lost.includes(segment))
      .map(({ segment }) => segment),
    newest: undefined,
    replicasLost: lost.length > 0,
  };
}

/** A round with a good header says the truth about earlier ones, even if its own records were cut off. */
function highestDeclared(segments: readonly SegmentScan[]): number {
  let highest = 0;
  for (const { rounds } of segments) {
    for (const { syncedRound } of rounds) highest = Math.max(highest, syncedRound);
  }
  return highest;
}

function withoutTornTail(segments: readonly SegmentScan[], declaredRound: number): SegmentScan[] {
  const kept = segments.map((segment) => ({ ...segment, rounds: [...segment.rounds] }));
  for (const { rounds } of kept.toReversed()) {
    for (let last = rounds.at(-1); last !== undefined; last = rounds.at(-1)) {
      if (last.whole || last.number <= declaredRound) return kept;
      rounds.pop();
    }
  }
  return kept;
}

function withoutVoidRounds(segments: readonly SegmentScan[]): SegmentScan[] {
  let firstVoid = Number.POSITIVE_INFINITY;
  const kept: SegmentScan[] = [];
  for (const segment of segments.toReversed()) {
    const rounds = segment.rounds.filter(({ number }) => number < firstVoid);
    kept.unshift({ ...segment, rounds });
    firstVoid = Math.min(firstVoid, segment.rounds[0]?.number ?? firstVoid);
  }
  return kept;
}

function isOpening(round: Round): boolean {
  return round.kind === 'opening' && round.offset === 0;
}

function withGaps(
  segments: readonly SegmentScan[],
  counting: readonly SegmentScan[],
  declaredRound: number,
): (Round | Gap)[] {
  const steps: (Round | Gap)[] = [];
  let previous: Round | undefined;
  for (const { rounds } of counting) {
    for (const round of rounds) {
      const gap =
        previous === undefined
          ? gapAtStart(segments, round)
          : gapBetween(previous, round.number - 1, round);
      if (gap !== undefined) steps.push(gap);
      steps.push(round);
      previous = round;
    }
  }
  const gapAtEnd = previous && gapBetween(previous, declaredRound, undefined);
  if (gapAtEnd !== undefined) steps.push(gapAtEnd);
  return steps;
}

/**
 * Segments that nobody needs are removed, so the story may begin with any number, but with an opening round. Numbers of
 * opening rounds never fall: after one that is void, what cannot be read would be void as well.
 */
function gapAtStart(segments: readonly SegmentScan[], first: Round): Gap | undefined {
  const firstVoid = segments.findIndex(({ rounds: [round] }) => {
    return round !== undefined && isOpening(round) && round.number >= first.number;
  });
  const counting = firstVoid < 0 ? segments : segments.slice(0, firstVoid);
  const unreadable = counting.find(({ fileBytes, rounds }) => fileBytes > 0 && rounds.length === 0);
  const segment = Math.min(unreadable?.segment ?? first.segment, first.segment);
  if (segment === first.segment && isOpening(first)) return undefined;
  const reason = `what was before round ${first.number} cannot be read`;
  return { kind: 'gap', segment, offset: 0, reason };
}

/** `next` is undefined at the end of the log. */
function gapBetween(
  previous: Round,
  lastMissing: number,
  next: Round | undefined,
): Gap | undefined {
  const end = previous.offset + previous.length;
  const reason = `rounds ${previous.number + 1} to ${lastMissing} cannot be read`;
  if (next !== undefined && next.segment !== previous.segment) {
    const place = { segment: next.segment, offset: 0 };
    if (!isOpening(next))
      return { kind: 'gap', ...place, reason: 'the opening round cannot be read' };
    const isFileMissing = next.segment > previous.segment + 1;
    if (isFileMissing && lastMissing > previous.number) return { kind: 'gap', ...place, reason };
  }
  if (lastMissing <= previous.number) return undefined;
  return { kind: 'gap', segment: previous.segment, offset: end, reason };
}
