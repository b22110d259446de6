import { writeU32 } from '../bytes.ts';
import { ByteWriter } from '../encoding.ts';
import { crc32c } from '../hash/crc32c.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import {
  MANIFEST_FORMAT_VERSION,
  MANIFEST_GROWTH_BYTES_MAX,
  MANIFEST_HEADER_BYTES,
  MANIFEST_MAGIC,
  manifestFileName,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC,
} from './manifest-format.ts';
import { type EngineState, encodeEdit, snapshotEdit, type VersionEdit } from './version-edit.ts';

/** Appends edits to one manifest. After a failure it must not be used any more. */
export class ManifestWriter {
  readonly number: number;
  readonly #file: VfsFile;
  readonly #firstBytes: number;
  #bytes: number;
  #editCount = 1;

  private constructor(number: number, file: VfsFile, bytes: number) {
    this.number = number;
    this.#file = file;
    this.#firstBytes = this.#bytes = bytes;
  }

  /** Writes a new manifest that says `state`. When this resolves it is durable, its name too. */
  static async create(
    vfs: Vfs,
    directory: string,
    number: number,
    state: EngineState,
  ): Promise<ManifestWriter> {
    const file = await vfs.open(`${directory}/${manifestFileName(number)}`, 'create');
    try {
      const first = encodeRecord(0, snapshotEdit(state));
      const bytes = new Uint8Array(MANIFEST_HEADER_BYTES + first.length);
      bytes.set(encodeHeader());
      bytes.set(first, MANIFEST_HEADER_BYTES);
      await file.write(0, bytes);
      await file.sync();
      await vfs.syncDirectory(directory);
      return new ManifestWriter(number, file, bytes.length);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** One at a time: each edit is synced before the next is written, so that only the last can be torn. */
  async append(edit: VersionEdit): Promise<void> {
    const record = encodeRecord(this.#editCount++, edit);
    await this.#file.write(this.#bytes, record);
    await this.#file.sync();
    this.#bytes += record.length;
  }

  get isLarge(): boolean {
    return this.#bytes - this.#firstBytes > Math.max(MANIFEST_GROWTH_BYTES_MAX, this.#firstBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function encodeHeader(): Uint8Array {
  const header = new Uint8Array(MANIFEST_HEADER_BYTES);
  header.set(MANIFEST_MAGIC);
  writeU32(header, 8, MANIFEST_FORMAT_VERSION);
  writeU32(header, 12, crc32c(header, 0, 12));
  return header;
}

/** Payload: edit number varint, then the fields of the edit. */
function encodeRecord(editNumber: number, edit: VersionEdit): Uint8Array {
  const payload = new ByteWriter(1024);
  payload.varint(editNumber);
  encodeEdit(payload, edit);
  const record = new Uint8Array(RECORD_HEADER_BYTES + payload.length);
  writeU32(record, 0, RECORD_MAGIC);
  writeU32(record, 8, payload.length);
  record.set(payload.written, RECORD_HEADER_BYTES);
  writeU32(record, 4, crc32c(record, 8));
  return record;
}
