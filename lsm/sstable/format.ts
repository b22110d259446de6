/** Constants shared by table writer and reader. Layout and reasons: `lsm/FORMAT.md`, SSTable. */

export const TABLE_FORMAT_VERSION = 1;
/** "DSSTABLE" */
export const TABLE_MAGIC: readonly number[] = [0x44, 0x53, 0x53, 0x54, 0x41, 0x42, 0x4c, 0x45];

/** After each block: codec u8, CRC32C u32 of block and codec. */
export const BLOCK_TRAILER_BYTES = 5;
/** Part of the file format. 3 is kept for Zstandard, which Node 20 does not have. */
export const Codec = { none: 0, lz4: 1, deflate: 2 } as const;

/** Every so many entries a key stands whole, as a place where a search can begin. */
export const RESTART_INTERVAL = 16;

/** Part of the file format. A deletion has no value. */
export const EntryKind = { deletion: 0, put: 1 } as const;

/** Where a block stands: its first byte and its length without the trailer. */
export interface BlockHandle {
  readonly offset: number;
  readonly length: number;
}

/** `<number, 10 digits>.sst`, so that names sort as numbers do. */
export function tableFileName(fileNumber: number): string {
  return `${String(fileNumber).padStart(10, '0')}.sst`;
}

export function parseTableFileName(name: string): number | undefined {
  const match = /^(\d{10,})\.sst$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
