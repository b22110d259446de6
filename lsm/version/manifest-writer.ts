import { writeU32 } from '../bytes.ts';
import { isDiskFull } from '../disk-full.ts';
import { ByteWriter } from '../encoding.ts';
import { LsmError, reasonOfFailure } from '../errors.ts';
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

/**
 * Appends edits to one manifest. After a failure it must not be used any more.
 *
 * An error of the file system that is passed on as it is has come before anything could count: what failed to be
 * written is not whole. When a sync fails it is unknown what is on the disk: ENGINE_FAILED.
 */
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
    const path = `${directory}/${manifestFileName(number)}`;
    const file = await vfs.open(path, 'create');
    try {
      const first = encodeRecord(0, snapshotEdit(state));
      const bytes = new Uint8Array(MANIFEST_HEADER_BYTES + first.length);
      bytes.set(encodeHeader());
      bytes.set(first, MANIFEST_HEADER_BYTES);
      await file.write(0, bytes);
      await mustSync(async () => {
        await file.sync();
        await vfs.syncDirectory(directory);
      });
      return new ManifestWriter(number, file, bytes.length);
    } catch (error) {
      await file.close();
      // Half of one is passed over by a reader, but it takes room.
      if (isDiskFull(error)) await vfs.remove(path).catch(() => {});
      throw error;
    }
  }

  /** One at a time: each edit is synced before the next is written, so that only the last can be torn. */
  async append(edit: VersionEdit): Promise<void> {
    const length = await this.appendUnsynced(edit);
    await mustSync(() => this.#file.sync());
    this.#bytes += length;
  }

  /** For the last one. Returns its length. */
  async appendUnsynced(edit: VersionEdit): Promise<number> {
    const record = encodeRecord(this.#editCount++, edit);
    await this.#file.write(this.#bytes, record);
    return record.length;
  }

  get isLarge(): boolean {
    return this.#bytes - this.#firstBytes > Math.max(MANIFEST_GROWTH_BYTES_MAX, this.#firstBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function mustSync(sync: () => Promise<void>): Promise<void> {
  try {
    await sync();
  } catch (cause) {
    const message = `the manifest cannot be synced: ${reasonOfFailure(cause)}`;
    throw new LsmError('ENGINE_FAILED', message, { cause });
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
