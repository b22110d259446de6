import { Db } from '../../lsm/db.ts';
import type { EngineEvent, EngineSnapshot } from '../../lsm/engine.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { DbOptions } from '../../lsm/options.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { scan, WHOLE } from '../support/scan.ts';
import { hex, text, utf8 } from './entries.ts';

export * from './entries.ts';
export { WHOLE };

/** Everything a snapshot sees, as `hex key -> text`. */
export async function contentOf(snapshot: EngineSnapshot): Promise<Map<string, string>> {
  return new Map((await scan(snapshot)).map(({ key, value }) => [hex(key), text(value)]));
}

export interface OpenedDb {
  readonly db: Db;
  readonly vfs: CrashableMemVfs;
  readonly events: EngineEvent[];
  /** What `notePositions` gives. */
  position: number;
}

/** An engine with sizes so small that a few hundred entries reach the lower levels. */
export async function openSmall(
  vfs = new CrashableMemVfs(),
  more: Partial<DbOptions> = {},
): Promise<OpenedDb> {
  const events: EngineEvent[] = [];
  const opened = { vfs, events, position: 0 };
  const db = await Db.open({
    vfs,
    directory: '/db',
    offload: new InlineOffload(vfs),
    notePositions: () => utf8(String(opened.position)),
    onEvent: (event) => events.push(event),
    memtableBytes: 6000,
    level0TablesTrigger: 6,
    seriesSuffixBytes: 8,
    blockSizeBytes: 256,
    tableBytes: 2000,
    blockCacheBytes: 4000,
    ...more,
  });
  return Object.assign(opened, { db });
}

export function put(db: Db, key: Uint8Array, value: Uint8Array): void {
  db.put(key, 0, key.length, value, 0, value.length);
}

export function del(db: Db, key: Uint8Array): void {
  db.delete(key, 0, key.length);
}
