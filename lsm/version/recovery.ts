import { corruptionDetail, isCorruption, reasonOf } from '../corruption.ts';
import type { EngineEvent, KeyRange } from '../engine.ts';
import { parseTableFileName, tableFileName } from '../sstable/format.ts';
import type { TableFiles } from '../sstable/table-files.ts';
import { keysOf, type TableMeta } from '../sstable/table-meta.ts';
import { TableReader } from '../sstable/table-reader.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { parseManifestFileName } from './manifest-format.ts';
import { type ManifestContent, readManifest } from './manifest-reader.ts';
import { type PlacedTable, Version } from './version.ts';
import {
  applyEdit,
  EMPTY_STATE,
  type EngineState,
  isEmptyEdit,
  type VersionEdit,
} from './version-edit.ts';

export interface RecoveryContext {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly files: TableFiles;
  /** Whether to look into every table; else only whether its file is there. */
  readonly checkTablesAtOpen: boolean;
  /** Of a directory without tables and manifest. */
  readonly initialPositions?: Uint8Array | undefined;
  readonly onEvent: (event: EngineEvent) => void;
}

export interface Recovered {
  readonly state: EngineState;
  /** The manifest that says `state` as it is; `undefined` when a new one must. */
  readonly manifest: string | undefined;
  /** Whether it is known that all it says survives a power cut. */
  readonly isDurable: boolean;
  readonly nextManifestNumber: number;
  /** Files that mean nothing any more, once a manifest says `state`. */
  readonly obsolete: readonly string[];
}

/**
 * Finds out what a directory holds. The manifest says it; a table that it names and that cannot be opened is
 * quarantined. If the manifest itself cannot be believed, the tables speak for themselves (`salvage`).
 * Bad bytes never make this fail; I/O errors and FORMAT_TOO_NEW do.
 */
export async function recover(context: RecoveryContext): Promise<Recovered> {
  const found = await namesIn(context);
  const { state, manifest, isDurable } = await recoverState(context, found);
  // Where the state is a new one, what could not be read has been set aside under another name.
  const names = manifest === undefined ? await namesIn(context) : found;
  const numbers = names.map((name) => parseManifestFileName(name) ?? 0);
  const live = new Set(state.version.tables().map(({ fileNumber }) => fileNumber));
  const obsolete = names.filter((name) => name !== manifest && isObsolete(name, live));
  const nextFileNumber = Math.max(state.nextFileNumber, highestNumber(names) + 1);
  const nextManifestNumber = Math.max(0, ...numbers) + 1;
  return { state: { ...state, nextFileNumber }, manifest, isDurable, nextManifestNumber, obsolete };
}

/** Creates the directory when it is missing. */
async function namesIn({ vfs, directory }: RecoveryContext): Promise<string[]> {
  try {
    return await vfs.list(directory);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await vfs.makeDirectory(directory);
    return vfs.list(directory);
  }
}

type RecoveredState = Pick<Recovered, 'state' | 'manifest' | 'isDurable'>;

async function recoverState(
  context: RecoveryContext,
  names: readonly string[],
): Promise<RecoveredState> {
  const manifest = await newestManifest(context, names);
  if (manifest === undefined) {
    const hasTables = names.some((name) => parseTableFileName(name) !== undefined);
    if (!hasTables) {
      const state = { ...EMPTY_STATE, positions: context.initialPositions };
      return { state, manifest: undefined, isDurable: false };
    }
    const reason = 'no sound manifest beside tables: rebuilt from the tables';
    report(context, { file: 'MANIFEST', offset: 0, reason, range: undefined });
    return salvage(context, names, EMPTY_STATE);
  }
  const { content, file } = manifest;
  const state = content.edits.reduce(applyEdit, EMPTY_STATE);
  const problem =
    content.end === 'damaged' ? 'a synced edit is lost' : state.version.checkInvariants();
  if (problem !== undefined) return salvageAfter(context, names, manifest, state, problem);

  const damaged = await damagedTables(context, state.version, names);
  // A tail may look torn and be a synced compaction, damaged: then its inputs are gone.
  const missing = damaged.find((found) => found.missing);
  if (missing !== undefined && (content.end === 'torn' || manifest.passedOver)) {
    const reason = `it names ${tableFileName(missing.placed.table.fileNumber)}, which is gone`;
    return salvageAfter(context, names, manifest, state, reason);
  }
  const isAsFound = content.end === 'clean' && !manifest.passedOver;
  const quarantined = await quarantine(context, state, damaged);
  return {
    state: quarantined,
    // What is lost is said in a first edit: without that a manifest is not believed at all.
    manifest: isAsFound && damaged.length === 0 ? file : undefined,
    isDurable: endsSynced(content),
  };
}

/**
 * An edit follows when the one before it is synced. So the last one may be in the page cache only, after a kill, and
 * what is removed because of it would be missed after a power cut; but not what an empty edit follows.
 */
function endsSynced({ edits }: ManifestContent): boolean {
  return edits.length > 1 && isEmptyEdit(edits.at(-1) as VersionEdit);
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

/** Those that were damaged before, and those that turn out to be now. */
async function damagedTables(
  context: RecoveryContext,
  version: Version,
  names: readonly string[],
): Promise<DamagedTable[]> {
  const present = new Set(names);
  const damaged: DamagedTable[] = [];
  for (const placed of version.placedTables()) {
    const name = tableFileName(placed.table.fileNumber);
    if (placed.table.damaged) {
      damaged.push(damagedBefore(placed));
    } else if (!present.has(name)) {
      const missing = !present.has(`${name}${SET_ASIDE}`);
      damaged.push({ placed, missing, offset: 0, reason: 'the file is missing' });
    } else if (context.checkTablesAtOpen) {
      const found = await problemWith(context, placed);
      if (found !== undefined) damaged.push(found);
    }
  }
  return damaged;
}

function damagedBefore(placed: PlacedTable): DamagedTable {
  return { placed, missing: false, offset: 0, reason: 'quarantined before' };
}

/** Sees that a table is the one the manifest means. */
async function problemWith(
  { files }: RecoveryContext,
  placed: PlacedTable,
): Promise<DamagedTable | undefined> {
  try {
    await new TableReader(files, placed.table).check();
    return undefined;
  } catch (error) {
    if (!isCorruption(error)) throw error;
    const detail = corruptionDetail(error);
    return { placed, missing: false, offset: detail.offset, reason: reasonOf(detail) };
  }
}

/** Damaged tables stay in the version, marked, so that no read goes past what they held. */
async function quarantine(
  context: RecoveryContext,
  state: EngineState,
  damaged: readonly DamagedTable[],
): Promise<EngineState> {
  if (damaged.length === 0) return state;
  for (const found of damaged) {
    await setAside(context, tableFileName(found.placed.table.fileNumber));
    reportLost(context, found);
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
  manifest: FoundManifest,
  state: EngineState,
  reason: string,
): Promise<RecoveredState> {
  const { file, content } = manifest;
  report(context, {
    file,
    offset: content.endOffset,
    reason: `${reason}: rebuilt from the tables`,
    range: undefined,
  });
  const known = content.stray.reduce(
    (before, edit) => applyEdit(before, { ...edit, added: [], removed: [] }),
    state,
  );
  return salvage(context, names, known);
}

/**
 * Builds a version from the tables themselves, all in level 0. Inputs of compactions that happened to be
 * still there do no harm: they say the same again, and sequence numbers decide. The positions that are known hold
 * only if they cover all there is, and nothing of it is lost: who goes on from positions that are too low finds what
 * came of the same work before, and from positions that are too high misses some of it.
 */
async function salvage(
  context: RecoveryContext,
  names: readonly string[],
  known: EngineState,
): Promise<RecoveredState> {
  const added: PlacedTable[] = known.version
    .tables()
    .filter((table) => table.damaged)
    .map((table) => ({ level: 0, table }));
  for (const placed of added) reportLost(context, damagedBefore(placed));
  const lost = new Set(added.map(({ table }) => `${tableFileName(table.fileNumber)}${SET_ASIDE}`));
  // Keys may be lost of which only an edit told that cannot be read.
  let isAllThere = names.every((name) => !isSetAside(name) || lost.has(name));
  for (const name of names) {
    const fileNumber = parseTableFileName(name);
    if (fileNumber === undefined) continue;
    try {
      added.push({ level: 0, table: await readMeta(context, fileNumber) });
    } catch (error) {
      if (!isCorruption(error)) throw error;
      isAllThere = false;
      await setAside(context, name);
      const detail = corruptionDetail(error);
      // What it held is not even known by its keys.
      const { offset } = detail;
      report(context, { file: name, offset, reason: reasonOf(detail), range: EVERYTHING });
    }
  }
  const lastSeq = Math.max(known.lastSeq, ...added.map(({ table }) => table.seqMax));
  const version = Version.empty.apply(added, new Set());
  const positions = isAllThere && lastSeq === known.lastSeq ? known.positions : undefined;
  return {
    state: { ...known, version, lastSeq, positions, isRebuilt: true },
    manifest: undefined,
    isDurable: false,
  };
}

async function readMeta(
  { vfs, directory }: RecoveryContext,
  fileNumber: number,
): Promise<TableMeta> {
  const reader = await TableReader.open(vfs, directory, fileNumber);
  await reader.close();
  return reader.meta;
}

export async function setAside(
  { vfs, directory }: Pick<RecoveryContext, 'vfs' | 'directory'>,
  name: string,
): Promise<void> {
  const path = `${directory}/${name}`;
  if (await vfs.exists(path)) await vfs.rename(path, `${path}${SET_ASIDE}`);
}

/** Whether that is the name of a damaged table. */
export function isSetAside(name: string): boolean {
  return parseTableFileName(name.replace(SET_ASIDE, '')) !== undefined && name.endsWith(SET_ASIDE);
}

function reportLost(context: RecoveryContext, { placed, offset, reason }: DamagedTable): void {
  const { fileNumber, smallest, largest } = placed.table;
  const lost = `${reason}; keys ${hex(smallest)} to ${hex(largest)} are lost`;
  report(context, {
    ...{ file: tableFileName(fileNumber), offset, reason: lost },
    range: keysOf(placed.table),
  });
}

function report(
  { onEvent }: RecoveryContext,
  found: Omit<Extract<EngineEvent, { readonly kind: 'corruption' }>, 'kind'>,
): void {
  onEvent({ kind: 'corruption', ...found });
}

function isObsolete(name: string, live: ReadonlySet<number>): boolean {
  const table = parseTableFileName(name);
  if (table !== undefined) return !live.has(table);
  return parseManifestFileName(name) !== undefined || name.endsWith('.tmp');
}

/** Of all tables, also those set aside: a number is never used again. */
function highestNumber(names: readonly string[]): number {
  const numbers = names.map((name) => parseTableFileName(name.replace(SET_ASIDE, '')) ?? 0);
  return Math.max(0, ...numbers);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const SET_ASIDE = '.damaged';
const EVERYTHING: KeyRange = { lower: new Uint8Array(0) };
