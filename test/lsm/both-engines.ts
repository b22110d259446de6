import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevelEngine } from '../../lsm/classic-level/classic-level-engine.ts';
import type { ClassicLevelOptions } from '../../lsm/classic-level/options.ts';
import { Db } from '../../lsm/db.ts';
import type { EngineEvent, StorageEngine } from '../../lsm/engine.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import type { DbOptions } from '../../lsm/options.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { text, utf8 } from '../support/text.ts';

/** What both take. */
export type EngineOptions = Pick<
  DbOptions & ClassicLevelOptions,
  'compactionFilter' | 'borders' | 'frozenMemtablesMax' | 'seriesSuffixBytes' | 'memtableBytes'
>;

type Open = (directory: string, options: ClassicLevelOptions) => Promise<StorageEngine>;

export const openLsm: Open = (directory, options) => {
  const vfs = new OsVfs();
  const sizes = { blockSizeBytes: 256, tableBytes: 2000 };
  return Db.open({ vfs, offload: new InlineOffload(vfs), ...sizes, ...options, directory });
};

export const openClassicLevel: Open = (directory, options) =>
  ClassicLevelEngine.open({ ...options, directory });

/** Which engine, and how it is opened. */
export const BOTH: readonly (readonly [name: string, open: Open])[] = [
  ['lsm', openLsm],
  ['classic-level', openClassicLevel],
];

/** An engine in a real folder of its own, which a test can open again. */
export class TestEngine {
  readonly directory: string;
  readonly events: EngineEvent[] = [];
  engine: StorageEngine;
  /** What `notePositions` gives. */
  position = 0;
  readonly #open: Open;
  readonly #options: EngineOptions;

  private constructor(directory: string, open: Open, options: EngineOptions) {
    this.directory = directory;
    this.#open = open;
    this.#options = options;
    this.engine = undefined as unknown as StorageEngine;
  }

  static async open(open: Open, options: EngineOptions = {}): Promise<TestEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'dss-engine-'));
    const opened = new TestEngine(directory, open, options);
    await opened.#start();
    return opened;
  }

  /** What was not flushed is lost, as with a process that ends. */
  async reopen(): Promise<void> {
    await this.engine.close();
    await this.#start();
  }

  put(key: Uint8Array, value: string): void {
    const bytes = utf8(value);
    this.engine.put(key, 0, key.length, bytes, 0, bytes.length);
  }

  get flushedPosition(): string | undefined {
    const positions = this.engine.flushedPositions();
    return positions && text(positions);
  }

  async remove(): Promise<void> {
    await this.engine.close();
    await rm(this.directory, { recursive: true });
  }

  async #start(): Promise<void> {
    this.engine = await this.#open(this.directory, {
      seriesSuffixBytes: 8,
      memtableBytes: 6000,
      ...this.#options,
      directory: this.directory,
      notePositions: () => utf8(String(this.position)),
      onEvent: (event) => void this.events.push(event),
    });
  }
}
