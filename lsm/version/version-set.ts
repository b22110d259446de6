import assert from 'node:assert/strict';
import { corruption } from '../corruption.ts';
import { isDiskFull } from '../disk-full.ts';
import type { KeyRange } from '../engine.ts';
import type { BlockCache } from '../sstable/block-cache.ts';
import { parseTableFileName, tableFileName } from '../sstable/format.ts';
import { keysOf, type TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import { manifestFileName } from './manifest-format.ts';
import { ManifestWriter } from './manifest-writer.ts';
import { isSetAside, type Recovered, type RecoveryContext, recover, setAside } from './recovery.ts';
import type { Version } from './version.ts';
import { applyEdit, type EngineState, type VersionEdit } from './version-edit.ts';

export interface VersionSetOptions extends RecoveryContext {
  readonly cache: BlockCache;
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
  /** Made when they are first asked for. */
  readonly #readers = new Map<number, TableReader>();
  /** Versions in use with the number of their users; the current one has itself as a user. */
  readonly #users = new Map<Version, number>();
  /** How many versions in use name a file. */
  readonly #references = new Map<number, number>();
  /** Set aside instead of removed. */
  readonly #lossy = new Set<number>();
  #state: EngineState;
  /** `undefined` when the next edit begins a new one. */
  #manifest: ManifestWriter | undefined;
  /** What says the state until there is a new one. */
  #oldManifest: string | undefined;
  #nextManifestNumber: number;
  /** Edits are written one after the other. */
  #lastCommit: Promise<void> = Promise.resolve();
  /** What a commit failed with that was not only lack of room: all later ones fail, too. */
  #failure: unknown;
  readonly #removals = new Set<Promise<void>>();
  #closed = false;

  private constructor(options: VersionSetOptions, recovered: Recovered) {
    this.#options = options;
    this.#state = recovered.state;
    this.#oldManifest = recovered.manifest;
    this.#nextManifestNumber = recovered.nextManifestNumber;
    this.#addUser(recovered.state.version);
  }

  /**
   * Recovers what is there. A manifest that says it as it is, and durably, is kept until the first commit, so that
   * opening writes nothing then; else a new one says it, and only then goes what is not needed.
   */
  static async open(options: VersionSetOptions): Promise<VersionSet> {
    try {
      const recovered = await recover(options);
      const versions = new VersionSet(options, recovered);
      await versions.#sayState(recovered);
      return versions;
    } catch (error) {
      await options.files.closeAll();
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

  /** Reads nothing yet. Throws CORRUPTION for a table that was quarantined. */
  readerOf(table: TableMeta): TableReader {
    const known = this.#readers.get(table.fileNumber);
    if (known !== undefined) return known;
    if (table.damaged) {
      throw corruption(tableFileName(table.fileNumber), 0, 'a sound table', 'a quarantined one');
    }
    const reader = new TableReader(this.#options.files, table, this.#options.cache);
    this.#readers.set(table.fileNumber, reader);
    return reader;
  }

  /**
   * Some keys of a table are lost, and others will stand for them. Its file stays, under another name, to tell of that
   * should the edit be lost which says so.
   */
  noteLosses({ fileNumber, damaged }: TableMeta): void {
    if (!damaged) this.#lossy.add(fileNumber);
  }

  /** The keys that a table may hold which is in use now, by the name of its file. */
  rangeOf(file: string): KeyRange | undefined {
    const fileNumber = parseTableFileName(file);
    const tables = this.#state.version.tables();
    const table = tables.find((each) => each.fileNumber === fileNumber);
    return table === undefined ? undefined : keysOf(table);
  }

  /**
   * Makes an edit durable, then current. The files of the tables it adds must be durable. When it fails because
   * the disk is full (`isDiskFull`) nothing has changed, `written` is removed and it may be tried again; any other
   * failure is final.
   */
  async commit(edit: VersionEdit, written: readonly TableMeta[] = []): Promise<void> {
    const commit = this.#lastCommit.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#commit(edit);
    });
    this.#lastCommit = commit.catch((error) => {
      if (!isDiskFull(error)) this.#failure ??= error;
    });
    try {
      await commit;
    } catch (error) {
      if (isDiskFull(error)) await this.discard(written);
      throw error;
    }
  }

  /** Removes tables that no edit names, as far as that works; the rest goes at the next open. */
  async discard(tables: readonly TableMeta[]): Promise<void> {
    const { vfs, directory } = this.#options;
    for (const { fileNumber } of tables) {
      assert(!this.#references.has(fileNumber), 'a table in use is not discarded');
      await vfs.remove(`${directory}/${tableFileName(fileNumber)}`).catch(() => {});
    }
  }

  /** A table without a file goes on standing for the keys that are lost with it. */
  async removeSetAside(): Promise<void> {
    const { vfs, directory } = this.#options;
    for (const name of await vfs.list(directory)) {
      if (isSetAside(name)) await this.#removeIfThereIsRoom(name);
    }
  }

  /** Resolves when the files are gone that no version in use names now. */
  async removalsDone(): Promise<void> {
    await Promise.all(this.#removals);
  }

  /** Waits for what is under way and closes all files. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastCommit;
    await Promise.all(this.#removals);
    await this.#closeManifest();
    for (const reader of this.#readers.values()) await reader.close();
    this.#readers.clear();
    await this.#options.files.closeAll();
  }

  /** Says in it that all of it is synced, so that the next `open` need not write. It can if it must. */
  async #closeManifest(): Promise<void> {
    const manifest = this.#manifest;
    if (manifest === undefined) return;
    if (this.#failure === undefined) await manifest.appendUnsynced({}).catch(() => {});
    await manifest.close();
  }

  async #sayState({ state, manifest, isDurable, obsolete }: Recovered): Promise<void> {
    try {
      if (manifest === undefined) await this.#beginManifest(state);
      else if (!isDurable) await this.#sayAgain(state, manifest);
      // What is not removed for good is removed again next time.
      for (const name of obsolete) await this.#removeIfThereIsRoom(name);
    } catch (error) {
      await this.#manifest?.close();
      throw error;
    }
  }

  /**
   * What the page cache has need not be on the disk, and after a sync that failed another one that succeeds does not
   * put it there: so a new manifest. Where there is no room for it the sync has to do.
   */
  async #sayAgain(state: EngineState, found: string): Promise<void> {
    const { vfs, directory } = this.#options;
    try {
      await this.#beginManifest(state);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const file = await vfs.open(`${directory}/${found}`, 'write');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await vfs.syncDirectory(directory);
    }
  }

  async #commit(edit: VersionEdit): Promise<void> {
    const { nextFileNumber } = this.#state;
    const after = (state: EngineState) => applyEdit(state, { ...edit, nextFileNumber });
    if (this.#manifest === undefined) await this.#beginManifest(after(this.#state));
    else await this.#append(this.#manifest, { ...edit, nextFileNumber });
    const before = this.#state.version;
    // Not what was there before the wait: numbers may have been reserved meanwhile.
    this.#state = after(this.#state);
    this.#addUser(this.#state.version);
    this.release(before);
    if (this.#manifest?.isLarge === true) await this.#replaceManifest();
  }

  async #append(manifest: ManifestWriter, edit: VersionEdit): Promise<void> {
    try {
      await manifest.append(edit);
    } catch (error) {
      // It may end with half an edit. It goes on being what counts until there is another.
      this.#manifest = undefined;
      this.#oldManifest = manifestFileName(manifest.number);
      await manifest.close();
      throw error;
    }
  }

  /** Makes a new manifest that says `state`; the old one goes when it is durable. */
  async #beginManifest(state: EngineState): Promise<void> {
    const { vfs, directory } = this.#options;
    const number = this.#nextManifestNumber++;
    this.#manifest = await ManifestWriter.create(vfs, directory, number, state);
    const old = this.#oldManifest;
    this.#oldManifest = undefined;
    if (old !== undefined) await this.#removeIfThereIsRoom(old);
  }

  async #replaceManifest(): Promise<void> {
    const old = this.#manifest as ManifestWriter;
    this.#oldManifest = manifestFileName(old.number);
    try {
      await this.#beginManifest(this.#state);
      await old.close();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // The old one goes on growing.
      this.#oldManifest = undefined;
    }
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
    const removal = this.#removeTable(table).catch(this.#options.onRemoveFailed);
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }

  async #removeTable({ fileNumber }: TableMeta): Promise<void> {
    const { files } = this.#options;
    const reader = this.#readers.get(fileNumber);
    this.#readers.delete(fileNumber);
    await reader?.close();
    await files.close(fileNumber);
    const name = tableFileName(fileNumber);
    if (this.#lossy.delete(fileNumber)) await ifThereIsRoom(setAside(this.#options, name));
    else await this.#removeIfThereIsRoom(name);
  }

  async #removeIfThereIsRoom(name: string): Promise<void> {
    const { vfs, directory } = this.#options;
    await ifThereIsRoom(vfs.remove(`${directory}/${name}`));
  }
}

/** Some file systems need room to remove or rename something. What stays goes at the next open. */
async function ifThereIsRoom(work: Promise<void>): Promise<void> {
  await work.catch((error) => {
    if (!isDiskFull(error)) throw error;
  });
}
