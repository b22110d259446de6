import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import type { Vfs } from '../../../lsm/vfs/vfs.ts';
import { Wal, type WalOptions } from '../../../lsm/wal/wal.ts';

export const directory = '/wal';

export async function newDisk(): Promise<CrashableMemVfs> {
  const vfs = new CrashableMemVfs();
  await vfs.makeDirectory(directory);
  return vfs;
}

export interface Opened {
  readonly wal: Wal;
  /** By number. */
  readonly records: Map<number, string>;
}

export async function openWal(vfs: Vfs, options: Partial<WalOptions> = {}): Promise<Opened> {
  const records = new Map<number, string>();
  const wal = await Wal.open({
    vfs,
    directory,
    after: 0,
    onRecord: (payload, number) => {
      records.set(number, textOf(payload));
    },
    ...options,
  });
  return { wal, records };
}

/** Appends texts, those that end with `!` synced. */
export async function appendAll(wal: Wal, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await wal.append([bytesOf(text)], { sync: text.endsWith('!') });
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export const dropAll = { unsyncedKeepRatio: 0, random: () => 0 };
