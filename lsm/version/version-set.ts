import assert from 'node:assert/strict';
import { corruption } from '../corruption.ts';
import { tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import { manifestFileName } from './manifest-format.ts';
import { ManifestWriter } from './manifest-writer.ts';
import { type RecoveryContext, recover } from './recovery.ts';
import type { Version } from './version.ts';
import { applyEdit, type EngineState, type VersionEdit } from './version-edit.ts';

export interface VersionSetOptions extends RecoveryContext {
  /** A file that should go cannot be removed. */
  readonly onRemoveFailed: (error: unknown) => void;
}

/**
 * The current version, those that snapshots still hold, and the files behind them. The order of effects:
 * *table files are durable, then the edit that names them, then the edit counts, then what nobody names any
 * more is removed*.
 */
export class VersionSet {
  readonly #options: VersionSetOptions;
  readonly #readers: Map<number, TableReader>;
  /** Versions in use with the number of their users; the current one has itself as a user. */
  readonly #users = new Map<Version, number>();
  /** How many versions in use name a file. */
  readonly #references = new Map<number, number>();
  #state: EngineState;
  #manifest: ManifestWriter;
  /** Edits are written one after the other; after one has failed all others do. */
  #lastCommit: Promise<void> = Promise.resolve();
  readonly #removals = new Set<Promise<void>>();
  #closed = false;

  private constructor(
    options: VersionSetOptions,
    state: EngineState,
    readers: Map<number, TableReader>,
    manifest: ManifestWriter,
  ) {
    this.#options = options;
    this.#state = state;
    this.#readers = readers;
    this.#manifest = manifest;
    this.#addUser(state.version);
  }

  /** Recovers what is there, says it in a new manifest and only then removes what is not needed. */
  static async open(options: VersionSetOptions): Promise<VersionSet> {
    const { vfs, directory } = options;
    await vfs.makeDirectory(directory);
    const { state, readers, nextManifestNumber, obsolete } = await recover(options);
    try {
      const manifest = await ManifestWriter.create(vfs, directory, nextManifestNumber, state);
      await removeObsolete(options, manifest, obsolete);
      return new VersionSet(options, state, readers, manifest);
    } catch (error) {
      for (const reader of readers.values()) await reader.close();
      throw error;
    }
  }

  get state(): EngineState {
    return this.#state;
  }

  /** The current version; give it back with `release`. */
  acquire(): Version {
    this.#addUser(this.#state.version);
    return this.#state.version;
  }

  release(version: Version): void {
    const users = this.#users.get(version);
    assert(users !== undefined, 'a version is released as often as it was acquired');
    if (users > 1) {
      this.#users.set(version, users - 1);
      return;
    }
    this.#users.delete(version);
    for (const table of version.tables()) this.#dropReference(table);
  }

  /** Reserves file numbers and returns the first. They need not be used. */
  allocateFileNumbers(count: number): number {
    const first = this.#state.nextFileNumber;
    this.#state = { ...this.#state, nextFileNumber: first + count };
    return first;
  }

  /** Throws CORRUPTION for a table that was quarantined. */
  readerOf(table: TableMeta): TableReader {
    const reader = this.#readers.get(table.fileNumber);
    if (reader === undefined) {
      throw corruption(tableFileName(table.fileNumber), 0, 'a sound table', 'a quarantined one');
    }
    return reader;
  }

  /** Makes an edit durable, then current. The files of the tables it adds must be durable. */
  commit(edit: VersionEdit): Promise<void> {
    this.#lastCommit = this.#lastCommit.then(() => this.#commit(edit));
    return this.#lastCommit;
  }

  /** Resolves when the files are gone that no version in use names now. */
  async removalsDone(): Promise<void> {
    await Promise.all(this.#removals);
  }

  /** Waits for what is under way and closes all files. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastCommit.catch(() => {});
    await Promise.all(this.#removals);
    await this.#manifest.close();
    for (const reader of this.#readers.values()) await reader.close();
    this.#readers.clear();
  }

  async #commit(edit: VersionEdit): Promise<void> {
    const { vfs, directory, cache } = this.#options;
    for (const { table } of edit.added ?? []) {
      if (this.#readers.has(table.fileNumber)) continue;
      const reader = await TableReader.open(vfs, directory, table.fileNumber, cache);
      this.#readers.set(table.fileNumber, reader);
    }
    const { nextFileNumber } = this.#state;
    await this.#manifest.append({ ...edit, nextFileNumber });
    const before = this.#state.version;
    this.#state = applyEdit(this.#state, edit);
    this.#addUser(this.#state.version);
    this.release(before);
    if (this.#manifest.isLarge) await this.#replaceManifest();
  }

  async #replaceManifest(): Promise<void> {
    const { vfs, directory } = this.#options;
    const old = this.#manifest;
    this.#manifest = await ManifestWriter.create(vfs, directory, old.number + 1, this.#state);
    await old.close();
    await vfs.remove(`${directory}/${manifestFileName(old.number)}`);
  }

  #addUser(version: Version): void {
    const users = this.#users.get(version) ?? 0;
    this.#users.set(version, users + 1);
    if (users > 0) return;
    for (const { fileNumber } of version.tables()) {
      this.#references.set(fileNumber, (this.#references.get(fileNumber) ?? 0) + 1);
    }
  }

  #dropReference(table: TableMeta): void {
    const references = (this.#references.get(table.fileNumber) ?? 0) - 1;
    assert(references >= 0, 'a file in use is referenced');
    if (references > 0) {
      this.#references.set(table.fileNumber, references);
      return;
    }
    this.#references.delete(table.fileNumber);
    // After `close` the directory may have another owner; what is left goes at the next open.
    if (table.damaged || this.#closed) return;
    const removal = this.#removeTable(table.fileNumber).catch(this.#options.onRemoveFailed);
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }

  async #removeTable(fileNumber: number): Promise<void> {
    const { vfs, directory } = this.#options;
    const reader = this.#readers.get(fileNumber);
    this.#readers.delete(fileNumber);
    await reader?.close();
    await vfs.remove(`${directory}/${tableFileName(fileNumber)}`);
  }
}

async function removeObsolete(
  { vfs, directory }: VersionSetOptions,
  manifest: ManifestWriter,
  names: readonly string[],
): Promise<void> {
  try {
    for (const name of names) await vfs.remove(`${directory}/${name}`);
    await vfs.syncDirectory(directory);
  } catch (error) {
    await manifest.close();
    throw error;
  }
}
