import { equalBytes } from '../bytes.ts';
import { corruption, corruptionDetail, isCorruption } from '../corruption.ts';
import type { EngineEvent } from '../engine.ts';
import type { BlockCache } from '../sstable/block-cache.ts';
import { parseTableFileName, tableFileName } from '../sstable/format.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { parseManifestFileName } from './manifest-format.ts';
import { type ManifestContent, readManifest } from './manifest-reader.ts';
import { type PlacedTable, Version } from './version.ts';
import { applyEdit, EMPTY_STATE, type EngineState } from './version-edit.ts';

export interface RecoveryContext {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly cache: BlockCache;
  readonly onEvent: (event: EngineEvent) => void;
}

export interface Recovered {
  readonly state: EngineState;
  readonly readers: Map<number, TableReader>;
  readonly nextManifestNumber: number;
  /** Files that mean nothing any more once a new manifest says `state`. */
  readonly obsolete: readonly string[];
}

/**
 * Finds out what a directory holds. The manifest says it; a table that it names and that cannot be opened is
 * quarantined. If the manifest itself cannot be believed, the tables speak for themselves (`salvage`).
 * Bad bytes never make this fail; I/O errors and FORMAT_TOO_NEW do.
 */
export async function recover(context: RecoveryContext): Promise<Recovered> {
  const names = await context.vfs.list(context.directory);
  const readers = new Map<number, TableReader>();
  try {
    const state = await recoverState(context, names, readers);
    const numbers = names.map((name) => parseManifestFileName(name) ?? 0);
    const live = new Set(state.version.tables().map(({ fileNumber }) => fileNumber));
    return {
      state: { ...state, nextFileNumber: Math.max(state.nextFileNumber, highestNumber(names) + 1) },
      readers,
      nextManifestNumber: Math.max(0, ...numbers) + 1,
      obsolete: names.filter((name) => isObsolete(name, live)),
    };
  } catch (error) {
    for (const reader of readers.values()) await reader.close();
    throw error;
  }
}

async function recoverState(
  context: RecoveryContext,
  names: readonly string[],
  readers: Map<number, TableReader>,
): Promise<EngineState> {
  const manifest = await newestManifest(context, names);
  if (manifest === undefined) {
    const hasTables = names.some((name) => parseTableFileName(name) !== undefined);
    if (!hasTables) return EMPTY_STATE;
    report(context, 'MANIFEST', 0, 'no sound manifest beside tables: rebuilt from the tables');
    return salvage(context, names, readers, EMPTY_STATE, Number.MAX_SAFE_INTEGER);
  }
  const { content, file } = manifest;
  const state = content.edits.reduce(applyEdit, EMPTY_STATE);
  const problem =
    content.end === 'damaged' ? 'a synced edit is lost' : state.version.checkInvariants();
  if (problem !== undefined) return salvageAfter(context, names, readers, manifest, state, problem);

  const damaged = await openTables(context, state.version, names, readers);
  // A tail may look torn and be a synced compaction, damaged: then its inputs are gone.
  const missing = damaged.find((found) => found.missing);
  if (missing !== undefined && (content.end === 'torn' || manifest.passedOver)) {
    const reason = `${file} names ${tableFileName(missing.placed.table.fileNumber)}, which is gone`;
    return salvageAfter(context, names, readers, manifest, state, reason);
  }
  return quarantine(context, state, damaged);
}

interface FoundManifest {
  readonly file: string;
  readonly content: ManifestContent;
  /** A newer file of the kind could not be used. */
  readonly passedOver: boolean;
}

async function newestManifest(
  context: RecoveryContext,
  names: readonly string[],
): Promise<FoundManifest | undefined> {
  const files = names
    .filter((name) => parseManifestFileName(name) !== undefined)
    .sort((a, b) => (parseManifestFileName(b) ?? 0) - (parseManifestFileName(a) ?? 0));
  for (const [i, file] of files.entries()) {
    const bytes = await context.vfs.readFile(`${context.directory}/${file}`);
    const content = readManifest(bytes, file);
    if (content !== undefined) return { file, content, passedOver: i > 0 };
  }
  return undefined;
}

interface DamagedTable {
  readonly placed: PlacedTable;
  readonly missing: boolean;
  readonly offset: number;
  readonly reason: string;
}

/** Opens what can be opened into `readers` and returns the rest. */
async function openTables(
  context: RecoveryContext,
  version: Version,
  names: readonly string[],
  readers: Map<number, TableReader>,
): Promise<DamagedTable[]> {
  const damaged: DamagedTable[] = [];
  for (const placed of version.placedTables()) {
    const { table } = placed;
    if (table.damaged) {
      damaged.push({ placed, missing: false, offset: 0, reason: 'quarantined before' });
      continue;
    }
    try {
      readers.set(table.fileNumber, await openMatching(context, table));
    } catch (error) {
      if (isMissing(error)) {
        const missing = !names.includes(`${tableFileName(table.fileNumber)}.damaged`);
        damaged.push({ placed, missing, offset: 0, reason: 'the file is missing' });
      } else if (isCorruption(error)) {
        const { offset } = corruptionDetail(error);
        damaged.push({ placed, missing: false, offset, reason: error.message });
      } else {
        throw error;
      }
    }
  }
  return damaged;
}

/** Opens a table and sees that it is the one the manifest means. */
async function openMatching(context: RecoveryContext, table: TableMeta): Promise<TableReader> {
  const { vfs, directory, cache } = context;
  const reader = await TableReader.open(vfs, directory, table.fileNumber, cache);
  const { properties } = reader;
  const matches =
    reader.bytes === table.bytes &&
    properties.entryCount === table.entryCount &&
    properties.seqMax === table.seqMax &&
    equalBytes(properties.smallest, table.smallest) &&
    equalBytes(properties.largest, table.largest);
  if (matches) return reader;
  await reader.close();
  throw corruption(tableFileName(table.fileNumber), 0, 'the table the manifest means', 'another');
}

/** Damaged tables stay in the version, marked, so that no read goes past what they held. */
async function quarantine(
  context: RecoveryContext,
  state: EngineState,
  damaged: readonly DamagedTable[],
): Promise<EngineState> {
  if (damaged.length === 0) return state;
  for (const { placed, offset, reason } of damaged) {
    const name = tableFileName(placed.table.fileNumber);
    await setAside(context, name);
    const { smallest, largest } = placed.table;
    report(context, name, offset, `${reason}; keys ${hex(smallest)} to ${hex(largest)} are lost`);
  }
  const removed = damaged.map(({ placed }) => placed.table.fileNumber);
  const added = damaged.map(({ placed: { level, table } }) => ({
    level,
    table: { ...table, damaged: true },
  }));
  return applyEdit(state, { removed, added });
}

async function salvageAfter(
  context: RecoveryContext,
  names: readonly string[],
  readers: Map<number, TableReader>,
  manifest: FoundManifest,
  state: EngineState,
  reason: string,
): Promise<EngineState> {
  const { file, content } = manifest;
  report(context, file, content.endOffset, `${reason}: rebuilt from the tables`);
  const known = content.stray.reduce(
    (before, edit) => applyEdit(before, { ...edit, added: [], removed: [] }),
    state,
  );
  return salvage(context, names, readers, known, known.lastSeq);
}

/**
 * Builds a version from the tables themselves, all in level 0. Inputs of compactions that happened to be
 * still there do no harm: they say the same again, and sequence numbers decide. A table newer than
 * `seqMax` is left out, as the positions known do not cover it.
 */
async function salvage(
  context: RecoveryContext,
  names: readonly string[],
  readers: Map<number, TableReader>,
  known: EngineState,
  seqMax: number,
): Promise<EngineState> {
  const { vfs, directory, cache } = context;
  const added: PlacedTable[] = known.version
    .tables()
    .filter((table) => table.damaged)
    .map((table) => ({ level: 0, table }));
  for (const name of names) {
    const fileNumber = parseTableFileName(name);
    if (fileNumber === undefined) continue;
    try {
      const open = readers.get(fileNumber);
      const reader = open ?? (await TableReader.open(vfs, directory, fileNumber, cache));
      readers.set(fileNumber, reader);
      if (reader.properties.seqMin > seqMax) {
        readers.delete(fileNumber);
        await reader.close();
        continue;
      }
      const { properties, bytes } = reader;
      added.push({ level: 0, table: { ...properties, fileNumber, bytes, damaged: false } });
    } catch (error) {
      if (!isCorruption(error)) throw error;
      await setAside(context, name);
      report(context, name, corruptionDetail(error).offset, error.message);
    }
  }
  const lastSeq = Math.max(known.lastSeq, ...added.map(({ table }) => table.seqMax));
  return { ...known, version: Version.empty.apply(added, new Set()), lastSeq };
}

async function setAside(context: RecoveryContext, name: string): Promise<void> {
  const path = `${context.directory}/${name}`;
  if (await context.vfs.exists(path)) await context.vfs.rename(path, `${path}.damaged`);
}

function report(context: RecoveryContext, file: string, offset: number, reason: string): void {
  context.onEvent({ kind: 'corruption', file, offset, reason });
}

function isObsolete(name: string, live: ReadonlySet<number>): boolean {
  const table = parseTableFileName(name);
  if (table !== undefined) return !live.has(table);
  return parseManifestFileName(name) !== undefined || name.endsWith('.tmp');
}

/** Of all tables, also those set aside: a number is never used again. */
function highestNumber(names: readonly string[]): number {
  const numbers = names.map((name) => parseTableFileName(name.replace(/\.damaged$/, '')) ?? 0);
  return Math.max(0, ...numbers);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
