import type { Vfs } from '../vfs/vfs.ts';
import {
  alignToRound,
  parseSegmentFileName,
  roundAlignmentBytes,
  segmentFileName,
} from './format.ts';
import { type Round, readRound } from './round-reader.ts';

/** What could be read of a segment's file. */
export interface SegmentScan {
  readonly segment: number;
  readonly fileBytes: number;
  /** In the order of the file, with growing numbers; what lies between is damaged, torn or stale. */
  readonly rounds: readonly Round[];
}

/** Reads a whole log folder, one segment in memory at a time. Throws on I/O errors and `FORMAT_TOO_NEW` only. */
export async function scanLog(vfs: Vfs, directory: string): Promise<SegmentScan[]> {
  const segments: number[] = [];
  for (const name of await vfs.list(directory)) {
    const segment = parseSegmentFileName(name);
    if (segment !== undefined) segments.push(segment);
  }
  const read = (segment: number) => vfs.readFile(`${directory}/${segmentFileName(segment)}`);
  const logId = await findLogId(segments, read);
  const scans: SegmentScan[] = [];
  for (const segment of segments) scans.push(scanSegment(await read(segment), segment, logId));
  return scans;
}

/** All rounds of a segment that can be read; after a bad one it looks at every border (`lsm/FORMAT.md#log`). */
export function scanSegment(
  bytes: Uint8Array,
  segment: number,
  logId: Uint8Array | undefined,
): SegmentScan {
  const rounds: Round[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const round = readRound(bytes, offset, segment, logId ?? rounds[0]?.logId);
    if (round !== undefined && round.number > (rounds.at(-1)?.number ?? 0)) {
      rounds.push(round);
      offset += alignToRound(round.length);
    } else {
      offset += roundAlignmentBytes;
    }
  }
  return { segment, fileBytes: bytes.length, rounds };
}

/** The id in the oldest good opening round: normally that of the first segment. */
async function findLogId(
  segments: readonly number[],
  read: (segment: number) => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
  for (const segment of segments) {
    const opening = readRound(await read(segment), 0, segment, undefined);
    if (opening !== undefined) return opening.logId;
  }
  return undefined;
}
