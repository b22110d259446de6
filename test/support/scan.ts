import type { EngineEntry, EngineSnapshot } from '../../lsm/engine.ts';

export const WHOLE = { lower: new Uint8Array(0), upper: new Uint8Array(9).fill(0xff) };

/** Copies of all entries of a snapshot in [lower, upper). */
export async function scan(snapshot: EngineSnapshot, bounds = WHOLE): Promise<EngineEntry[]> {
  const cursor = snapshot.cursor(bounds);
  const entries: EngineEntry[] = [];
  for (await cursor.seek(bounds.lower); cursor.valid; await cursor.next()) {
    entries.push({ key: cursor.key.slice(), value: cursor.value.slice() });
  }
  cursor.close();
  return entries;
}
