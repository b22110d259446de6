import type { CorruptionDetail } from '../corruption.ts';
import type { MaybePromise } from '../engine.ts';
import { LsmError } from '../errors.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { decodeFileHeader, type FileHeader, fileHeaderBytes, parseWalFileName } from './format.ts';
import { RecordScan } from './record-scan.ts';
import { Replay } from './replay.ts';

export interface RecoveryOptions {
  readonly vfs: Vfs;
  readonly directory: string;
  /** Records up to this one are in tables and not wanted. */
  readonly after: number;
  /** Gets the others in order, one after the other. The payload is a view, good until it returns or resolves. */
  readonly onRecord: (payload: Uint8Array, number: number) => MaybePromise<void>;
}

export interface Recovered {
  /** No record has a higher number, and none must ever get this one or a lower one. */
  readonly lastRecord: number;
  /** The highest one of which the log says that it was synced. */
  readonly syncedRecord: number;
  readonly recordsReplayed: number;
  /** Whether there is an end that was cut, which nobody was promised. */
  readonly torn: boolean;
  /** Records that were promised and are gone. */
  readonly damage: readonly CorruptionDetail[];
  /** Oldest first. */
  readonly files: readonly FoundFile[];
}

export interface FoundFile {
  readonly fileNumber: number;
  readonly sizeBytes: number;
  /** Above all records of it that count. */
  readonly lastRecord: number;
}

/** Reads what a log holds, by the rules in FORMAT.md. Bad bytes never make it fail; I/O errors and FORMAT_TOO_NEW do. */
export async function recoverWal(options: RecoveryOptions): Promise<Recovered> {
  const reader = new FileReader(options);
  const files = await describeFiles(reader);
  const replay = new Replay(options, await declaredSynced(reader, files));
  for (const [at, file] of files.entries()) {
    const voidFrom = Math.min(...files.slice(at + 1).map(({ firstRecord }) => firstRecord));
    file.lastRecord = voidFrom - 1;
    if (replay.isTorn || voidFrom <= options.after + 1) continue;
    const bytes = await reader.read(file.fileNumber);
    file.lastRecord = await replay.file(file.name, bytes, file.fileNumber, voidFrom);
    file.sizeBytes = bytes.length;
  }
  const lastRecord = replay.finish(files.at(-1)?.name ?? '');
  return {
    lastRecord,
    syncedRecord: replay.declared,
    recordsReplayed: replay.records,
    torn: replay.isTorn,
    damage: replay.damage,
    files: files.map((file) => ({
      fileNumber: file.fileNumber,
      sizeBytes: file.sizeBytes,
      lastRecord: Math.min(file.lastRecord, lastRecord),
    })),
  };
}

interface DescribedFile {
  readonly fileNumber: number;
  readonly name: string;
  readonly header: FileHeader | undefined;
  /**
   * As the header says, or else the first record there is; infinite without any. A power cut may take the header
   * of a file that was not synced and leave records, which are then synced: it is no damage by itself.
   */
  readonly firstRecord: number;
  sizeBytes: number;
  lastRecord: number;
}

async function describeFiles(reader: FileReader): Promise<DescribedFile[]> {
  const described: DescribedFile[] = [];
  for (const { fileNumber, name } of await reader.list()) {
    const { bytes, sizeBytes } = await reader.readBeginning(fileNumber);
    const header = decodeFileHeader(bytes, fileNumber);
    if (header === 'too-new') {
      throw new LsmError('FORMAT_TOO_NEW', `${name} was written by a newer version`);
    }
    const firstRecord = header?.firstRecord ?? (await firstOf(reader, fileNumber));
    described.push({ fileNumber, name, header, firstRecord, sizeBytes, lastRecord: 0 });
  }
  return described;
}

async function firstOf(reader: FileReader, fileNumber: number): Promise<number> {
  const scan = new RecordScan(await reader.read(fileNumber), fileNumber);
  return scan.next() ? scan.number : Number.POSITIVE_INFINITY;
}

/** What the newest file that says anything says last: declarations only go up. */
async function declaredSynced(
  reader: FileReader,
  files: readonly DescribedFile[],
): Promise<number> {
  for (const { fileNumber, header } of [...files].reverse()) {
    let declared = header?.syncedRecord ?? -1;
    const scan = new RecordScan(await reader.read(fileNumber), fileNumber);
    while (scan.next()) declared = Math.max(declared, scan.syncedRecord);
    if (declared >= 0) return declared;
  }
  return 0;
}

/** Keeps one file in memory: a log of one file is read once. */
class FileReader {
  readonly #vfs: Vfs;
  readonly #directory: string;
  #names = new Map<number, string>();
  #fileNumber: number | undefined;
  #bytes = new Uint8Array(0);

  constructor(options: RecoveryOptions) {
    this.#vfs = options.vfs;
    this.#directory = options.directory;
  }

  /** Oldest first. */
  async list(): Promise<{ fileNumber: number; name: string }[]> {
    for (const name of await this.#vfs.list(this.#directory)) {
      const fileNumber = parseWalFileName(name);
      if (fileNumber !== undefined) this.#names.set(fileNumber, name);
    }
    return [...this.#names].map(([fileNumber, name]) => ({ fileNumber, name }));
  }

  async read(fileNumber: number): Promise<Uint8Array> {
    if (this.#fileNumber === fileNumber) return this.#bytes;
    this.#fileNumber = undefined;
    this.#bytes = new Uint8Array(0);
    this.#bytes = new Uint8Array(await this.#vfs.readFile(this.#path(fileNumber)));
    this.#fileNumber = fileNumber;
    return this.#bytes;
  }

  async readBeginning(fileNumber: number): Promise<{ bytes: Uint8Array; sizeBytes: number }> {
    if (this.#names.size === 1) {
      const bytes = await this.read(fileNumber);
      return { bytes, sizeBytes: bytes.length };
    }
    const file = await this.#vfs.open(this.#path(fileNumber), 'read');
    try {
      return { bytes: await file.read(0, fileHeaderBytes), sizeBytes: await file.size() };
    } finally {
      await file.close();
    }
  }

  #path(fileNumber: number): string {
    return `${this.#directory}/${this.#names.get(fileNumber)}`;
  }
}
