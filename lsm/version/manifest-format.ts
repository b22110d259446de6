/** Constants shared by manifest writer and reader. Layout and reasons: `lsm/FORMAT.md`, Manifest. */

export const MANIFEST_FORMAT_VERSION = 1;
/** "DSSMANIF" */
export const MANIFEST_MAGIC: readonly number[] = [0x44, 0x53, 0x53, 0x4d, 0x41, 0x4e, 0x49, 0x46];
/** Magic 8, version u32, CRC32C u32 of both. */
export const MANIFEST_HEADER_BYTES = 16;

/** "EDIT": lets a reader find the next record behind damaged bytes. */
export const RECORD_MAGIC = 0x54494445;
/** Record magic u32, CRC32C u32 of length and payload, length u32. */
export const RECORD_HEADER_BYTES = 12;

/** A manifest that has grown by this is replaced by a new one. */
export const MANIFEST_GROWTH_BYTES_MAX = 1024 * 1024;

export function manifestFileName(number: number): string {
  return `MANIFEST-${String(number).padStart(10, '0')}`;
}

export function parseManifestFileName(name: string): number | undefined {
  const match = /^MANIFEST-(\d{10,})$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}
