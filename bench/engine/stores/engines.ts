import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { type Level, LevelStore } from './level-store.ts';
import { type Lmdb, LmdbStore } from './lmdb-store.ts';
import type { Engine, EngineOptions } from './store.ts';

/** Everything is run from the root, like the other benches. */
export const PEERS_FOLDER = resolve('bench/engine-peers');

export const ENGINE_NAMES = ['dss', 'classic-level', 'lmdb', 'rocksdb'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

type LevelClass = new (location: string, options: Record<string, unknown>) => Level;

const LEVEL_ENCODINGS = { keyEncoding: 'buffer', valueEncoding: 'buffer' };

/** Loads one engine and no other: what a process loads is part of its memory. Throws when it is not there. */
export async function loadEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  switch (name) {
    case 'dss':
      return loadOurs(options);
    case 'classic-level':
      return loadClassicLevel(options);
    case 'lmdb':
      return loadLmdb();
    case 'rocksdb':
      return loadRocksdb(options);
  }
}

async function loadOurs({ cacheBytes }: EngineOptions): Promise<Engine> {
  const { DssLevel } = await import('../../../lsm/level/level.ts');
  const settings = { ...LEVEL_ENCODINGS, blockCacheBytes: cacheBytes };
  return {
    version: await versionIn(resolve('.')),
    settings: `blockCacheBytes ${mebibytes(cacheBytes)}`,
    open: (directory) =>
      LevelStore.open(new DssLevel<Buffer, Buffer>(directory, settings) as unknown as Level),
  };
}

async function loadClassicLevel({ cacheBytes }: EngineOptions): Promise<Engine> {
  const { ClassicLevel } = await import('classic-level');
  const settings = { ...LEVEL_ENCODINGS, cacheSize: cacheBytes };
  return {
    version: await versionIn(resolve('node_modules/classic-level')),
    settings: `cacheSize ${mebibytes(cacheBytes)}; scans with highWaterMarkBytes 256 KiB`,
    open: (directory) =>
      LevelStore.open(new ClassicLevel<Buffer, Buffer>(directory, settings) as unknown as Level),
  };
}

async function loadRocksdb({ cacheBytes }: EngineOptions): Promise<Engine> {
  const { RocksLevel } = requireFromPeers('@nxtedition/rocksdb') as { RocksLevel: LevelClass };
  const settings = { ...LEVEL_ENCODINGS, cacheSize: cacheBytes };
  return {
    version: await versionIn(join(PEERS_FOLDER, 'node_modules/@nxtedition/rocksdb')),
    settings:
      `cacheSize ${mebibytes(cacheBytes)}; scans with highWaterMarkBytes 256 KiB; get by getMany of one key, as ` +
      'its own get does; writes block the thread; no call for compaction, so what it did by itself',
    open: (directory) =>
      LevelStore.open(new RocksLevel(directory, settings), { missingThrows: true }),
  };
}

async function loadLmdb(): Promise<Engine> {
  const lmdb = requireFromPeers('lmdb') as Lmdb;
  return {
    version: await versionIn(join(PEERS_FOLDER, 'node_modules/lmdb')),
    settings:
      'keyEncoding and encoding binary; no cache but the page cache, which counts as its memory where it is ' +
      'mapped; sync is db.flushed; asynchronous gets by getMany of 1,000; ranges are read synchronously; its ' +
      'file never shrinks',
    open: async (directory) => new LmdbStore(lmdb, directory),
  };
}

function requireFromPeers(name: string): unknown {
  return createRequire(join(PEERS_FOLDER, 'package.json'))(name);
}

async function versionIn(folder: string): Promise<string> {
  const description: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return (description as { version: string }).version;
}

function mebibytes(bytes: number): string {
  return `${bytes / 2 ** 20} MiB`;
}
