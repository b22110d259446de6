import { expect } from 'vitest';
import { compareBytes } from '../../../lsm/bytes.ts';
import type { EngineEntry, KeyRange } from '../../../lsm/engine.ts';
import type { BoundedCursor } from '../../../lsm/iterator/bounded-cursor.ts';
import type { Snapshot } from '../../../lsm/snapshot.ts';
import { hex } from '../entries.ts';
import { ALL, type Content, type Shown, shown } from './content.ts';

/** Everything, both ways, waiting and blocking. */
export async function expectAll(snapshot: Snapshot, content: Content): Promise<void> {
  for (const reverse of [false, true]) {
    const expected = content.entries(ALL, reverse);
    const waiting = snapshot.cursor(ALL, { reverse });
    await waiting.seekFirst();
    expect(await rest(waiting)).toEqual(expected);
    const blocking = snapshot.cursorSync(ALL, { reverse });
    expect(blocking.seekFirst()).toBe(undefined);
    expect(restNow(blocking)).toEqual(expected);
  }
}

async function rest(cursor: BoundedCursor): Promise<Shown[]> {
  const all: Shown[] = [];
  while (cursor.valid) all.push(...(await cursor.take(7, 500)).map(shown));
  cursor.close();
  return all;
}

function restNow(cursor: BoundedCursor): Shown[] {
  const all: Shown[] = [];
  for (; cursor.valid; expect(cursor.next()).toBe(undefined)) all.push(shown(cursor));
  cursor.close();
  return all;
}

export async function expectKey(snapshot: Snapshot, content: Content, key: Uint8Array) {
  const expected = content.get(key);
  expect(hexOf(await snapshot.get(key))).toBe(expected);
  expect(hexOf(snapshot.getSync(key))).toBe(expected);
}

export const hexOf = (bytes: Uint8Array | undefined) => bytes && hex(bytes);
export const shownOf = (entry: EngineEntry | undefined) => entry && shown(entry);

/** A walk of a cursor through a range. */
export interface Walk {
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly blocking: boolean;
  readonly steps: readonly WalkStep[];
}

export type WalkStep =
  | { readonly kind: 'first' }
  | { readonly kind: 'seek'; readonly key: Uint8Array }
  | { readonly kind: 'next'; readonly count: number }
  | { readonly kind: 'take'; readonly count: number; readonly bytes: number };

export async function expectWalk(snapshot: Snapshot, content: Content, walk: Walk): Promise<void> {
  const { range, reverse, blocking } = walk;
  const cursor = blocking
    ? snapshot.cursorSync(range, { reverse })
    : snapshot.cursor(range, { reverse });
  const entries = content.entries(range, reverse);
  const wait = async (moved: unknown) => {
    if (blocking) expect(moved).not.toBeInstanceOf(Promise);
    return moved;
  };
  let at = entries.length;
  for (const step of walk.steps) {
    if (step.kind === 'first') {
      await wait(cursor.seekFirst());
      at = 0;
    } else if (step.kind === 'seek') {
      await wait(cursor.seek(step.key));
      const order = (key: string) => compareBytes(Buffer.from(key, 'hex'), step.key);
      at = entries.findIndex(([key]) => (reverse ? order(key) <= 0 : order(key) >= 0));
      if (at < 0) at = entries.length;
    } else if (step.kind === 'next') {
      for (let i = 0; i < step.count && cursor.valid; i++, at++) await wait(cursor.next());
    } else {
      at += await expectChunk(cursor, entries.slice(at), step);
    }
    expect(cursor.valid ? shown(cursor) : undefined).toEqual(entries[at]);
  }
  cursor.close();
}

async function expectChunk(
  cursor: BoundedCursor,
  left: readonly Shown[],
  { count, bytes }: { readonly count: number; readonly bytes: number },
): Promise<number> {
  const chunk = (await cursor.take(count, bytes)).map(shown);
  expect(chunk).toEqual(left.slice(0, chunk.length));
  const mayBeShorter = chunk.join('').length / 2 >= bytes;
  if (!mayBeShorter) expect(chunk.length).toBe(Math.min(count, left.length));
  return chunk.length;
}
