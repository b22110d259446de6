import { InlineOffload } from '../../../lsm/offload/inline.ts';
import type { StoreOptions } from '../../../lsm/store/options.ts';
import { Store } from '../../../lsm/store/store.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { text, utf8 } from '../../support/text.ts';

export { CrashableMemVfs, text, utf8 };

export const directory = '/store';

/** A store with sizes so small that some hundred entries reach tables and lower levels. */
export function openSmall(vfs: CrashableMemVfs, more: Partial<StoreOptions> = {}): Promise<Store> {
  return Store.open({
    vfs,
    directory,
    offload: new InlineOffload(vfs),
    memtableBytes: 6000,
    blockSizeBytes: 256,
    tableBytes: 2000,
    blockCacheBytes: 4000,
    logFileBytes: 8192,
    ...more,
  });
}

export const put = (store: Store, key: string, value: string, sync = false) =>
  store.put(utf8(key), utf8(value), { sync });
export const remove = (store: Store, key: string, sync = false) =>
  store.delete(utf8(key), { sync });

export async function get(store: Store, key: string): Promise<string | undefined> {
  const value = await store.get(utf8(key));
  return value === undefined ? undefined : text(value);
}

/** Everything there is, in the order of a cursor. */
export async function contentOf(store: Store): Promise<Map<string, string>> {
  const snapshot = store.snapshot();
  try {
    const cursor = snapshot.cursor({ lower: new Uint8Array(0) });
    await cursor.seekFirst();
    const found = new Map<string, string>();
    for (;;) {
      const entries = await cursor.take(100, 10_000);
      if (entries.length === 0) return found;
      for (const { key, value } of entries) found.set(text(key), text(value));
    }
  } finally {
    snapshot.close();
  }
}
