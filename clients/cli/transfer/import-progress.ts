import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { fileError } from '../errors.ts';
import { BEGINNING, type SourceStart } from './sources.ts';

/** `<file>.dss-progress`: how much of which file is stored, under which prefix. */
interface ProgressDocument {
  readonly format: 1;
  /** Of the file that is imported: another one of that name begins anew. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly prefix: string;
  readonly bytes: number;
  readonly line: number;
  readonly columns?: readonly string[];
}

const SAVE_EVERY_MS = 250;

/**
 * Remembers how far an import has come, so that the same command goes on there. Saved a few times a second: what
 * was stored since the last time is sent again, which readings with a time of their own do not mind.
 */
export class ImportProgress {
  readonly #path: string;
  readonly #file: Pick<ProgressDocument, 'sizeBytes' | 'modifiedMs' | 'prefix'>;
  #reached: SourceStart;
  #savedMs = Number.NEGATIVE_INFINITY;
  readonly sizeBytes: number;

  private constructor(
    path: string,
    file: Pick<ProgressDocument, 'sizeBytes' | 'modifiedMs' | 'prefix'>,
    reached: SourceStart,
  ) {
    this.#path = path;
    this.#file = file;
    this.#reached = reached;
    this.sizeBytes = file.sizeBytes;
  }

  /** `restart`: whatever is remembered is not. */
  static async open(file: string, prefix: string, restart: boolean): Promise<ImportProgress> {
    const path = `${file}.dss-progress`;
    const { size, mtimeMs } = await stat(file).catch((error) => {
      throw fileError('cannot read', file, error);
    });
    const identity = { sizeBytes: size, modifiedMs: mtimeMs, prefix };
    const known = restart ? undefined : await readDocument(path);
    const isSame =
      known?.sizeBytes === size && known.modifiedMs === mtimeMs && known.prefix === prefix;
    return new ImportProgress(path, identity, isSame ? known : BEGINNING);
  }

  get reached(): SourceStart {
    return this.#reached;
  }

  /** Everything up to there is stored. */
  async advance(reached: SourceStart): Promise<void> {
    this.#reached = reached;
    if (performance.now() - this.#savedMs >= SAVE_EVERY_MS) await this.save();
  }

  async save(): Promise<void> {
    if (this.#reached.bytes === 0) return;
    const document: ProgressDocument = { format: 1, ...this.#file, ...this.#reached };
    await writeFile(this.#path, `${JSON.stringify(document)}\n`).catch((error) => {
      throw fileError('cannot write', this.#path, error);
    });
    this.#savedMs = performance.now();
  }

  /** All of the file is stored. */
  async finish(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

async function readDocument(path: string): Promise<ProgressDocument | undefined> {
  try {
    const document = JSON.parse(await readFile(path, 'utf8')) as ProgressDocument;
    return document.format === 1 ? document : undefined;
  } catch {
    return undefined;
  }
}
