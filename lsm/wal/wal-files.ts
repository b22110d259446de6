import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { walFileName } from './format.ts';
import type { Recovered } from './recovery.ts';

/** The files of a log but for the one that is being written: what must still be synced, what can go. */
export class WalFiles {
  readonly #vfs: Vfs;
  readonly #directory: string;
  /** Ascending by number and by record. */
  readonly #files: OlderFile[];
  #nextNumber: number;
  #namesUnsynced: boolean;
  /** A removal that may not be durable yet. */
  #removalUnsynced = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(place: { readonly vfs: Vfs; readonly directory: string }, recovered: Recovered) {
    this.#vfs = place.vfs;
    this.#directory = place.directory;
    this.#files = recovered.files.map((file) => ({
      ...file,
      isSynced: file.lastRecord <= recovered.syncedRecord,
      handle: undefined,
    }));
    this.#nextNumber = (recovered.files.at(-1)?.fileNumber ?? 0) + 1;
    this.#namesUnsynced = this.#files.length > 0;
  }

  get count(): number {
    return this.#files.length;
  }

  get bytes(): number {
    return this.#files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Numbers are not used twice, also if what is done with the file then fails. */
  async create(): Promise<{ fileNumber: number; handle: VfsFile }> {
    const fileNumber = this.#nextNumber++;
    const handle = await this.#vfs.open(this.#path(fileNumber), 'create');
    this.#namesUnsynced = true;
    return { fileNumber, handle };
  }

  /** For a file whose creation went wrong. If this fails too it stays, and says nothing. */
  async discard(fileNumber: number, handle: VfsFile): Promise<void> {
    await handle.close();
    await this.#vfs.remove(this.#path(fileNumber)).catch(() => {});
  }

  /** Takes over a file that is not written any more. */
  async retire(file: OlderFile): Promise<void> {
    this.#files.push(file);
    if (file.isSynced) await closeHandle(file);
  }

  /** Makes all of them and their names durable; that of the file being written too. Returns the number of syncs. */
  async sync(): Promise<number> {
    let syncs = 0;
    if (this.#files.some(({ isSynced }) => !isSynced)) {
      await this.#alone(async () => {
        for (const file of this.#files) if (!file.isSynced) syncs += await this.#syncFile(file);
      });
    }
    return syncs + (this.#namesUnsynced ? await this.syncNames() : 0);
  }

  async syncNames(): Promise<number> {
    await this.#vfs.syncDirectory(this.#directory);
    this.#namesUnsynced = false;
    return 1;
  }

  /**
   * Removes files all of whose records are at or below one. A removal is durable before the next, newer one: what
   * an old file holds of a tail that was cut is void only as long as a newer file says so.
   */
  removeThrough(record: number): Promise<void> {
    return this.#alone(async () => {
      for (;;) {
        const file = this.#files[0];
        if (file === undefined || file.lastRecord > record) return;
        if (this.#removalUnsynced) await this.#vfs.syncDirectory(this.#directory);
        this.#removalUnsynced = true;
        await this.#vfs.remove(this.#path(file.fileNumber));
        this.#files.shift();
        await closeHandle(file);
      }
    });
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      for (const file of this.#files) await closeHandle(file);
    });
  }

  async #syncFile(file: OlderFile): Promise<number> {
    file.handle ??= await this.#vfs.open(this.#path(file.fileNumber), 'write');
    await file.handle.sync();
    file.isSynced = true;
    await closeHandle(file);
    return 1;
  }

  /** A file is not removed while it is being synced. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #path(fileNumber: number): string {
    return `${this.#directory}/${walFileName(fileNumber)}`;
  }
}

export interface OlderFile {
  readonly fileNumber: number;
  readonly sizeBytes: number;
  readonly lastRecord: number;
  isSynced: boolean;
  handle: VfsFile | undefined;
}

async function closeHandle(file: OlderFile): Promise<void> {
  const { handle } = file;
  file.handle = undefined;
  await handle?.close();
}
