import assert from 'node:assert/strict';
import type { CrashableContent } from './mem-content.ts';

/**
 * Which names stand for which files, in memory: as seen now, and as a power cut could leave it.
 * A change of names is durable once the folder of its last name is synced.
 */
export class CrashableNames {
  #directories = new Map<string, Map<string, CrashableContent>>();
  /** Names as of the last syncs: the whole path to the file. */
  #durable = new Map<string, CrashableContent>();
  /** Changes since, oldest first. */
  #unsynced: NameChange[] = [];

  makeDirectory(directory: string): void {
    const path = normalize(directory);
    if (this.#directories.has(path)) return;
    this.#directories.set(path, new Map());
    const { parent } = split(path);
    if (parent !== path) this.makeDirectory(parent);
  }

  hasDirectory(directory: string): boolean {
    return this.#directories.has(normalize(directory));
  }

  /** Names of files and folders in a folder, sorted; `undefined` if it does not exist. */
  list(directory: string): string[] | undefined {
    const path = normalize(directory);
    const files = this.#directories.get(path);
    if (files === undefined) return undefined;
    const names = [...files.keys()];
    for (const other of this.#directories.keys()) {
      const { parent, name } = split(other);
      if (parent === path && other !== path) names.push(name);
    }
    return names.sort();
  }

  get(path: string): CrashableContent | undefined {
    const { parent, name } = split(normalize(path));
    return this.#directories.get(parent)?.get(name);
  }

  /** Sets several names at once (`undefined` removes one): all of it survives a power cut, or nothing. */
  change(...changes: readonly (readonly [path: string, content: CrashableContent | undefined])[]) {
    const normalized = changes.map(([path, content]) => [normalize(path), content] as const);
    for (const [path, content] of normalized) this.#set(path, content);
    this.#unsynced.push(normalized);
  }

  syncDirectory(directory: string): void {
    const path = normalize(directory);
    const concerns = (change: NameChange) => split(change.at(-1)?.[0] ?? '').parent === path;
    for (const change of this.#unsynced.filter(concerns)) this.#makeDurable(change);
    this.#unsynced = this.#unsynced.filter((change) => !concerns(change));
  }

  /** Of all files that have a name now. */
  get bytes(): number {
    const named = new Set([...this.#directories.values()].flatMap((files) => [...files.values()]));
    return [...named].reduce((sum, content) => sum + content.length, 0);
  }

  /** Every file that has, or after a power cut could have, a name. */
  contents(): Set<CrashableContent> {
    const all = new Set(this.#durable.values());
    for (const [, content] of this.#unsynced.flat()) if (content !== undefined) all.add(content);
    return all;
  }

  afterKill(copies: Copies): CrashableNames {
    const clone = new CrashableNames();
    for (const [path, files] of this.#directories) {
      clone.#directories.set(
        path,
        mapValues(files, (content) => copyOf(copies, content)),
      );
    }
    clone.#durable = mapValues(this.#durable, (content) => copyOf(copies, content));
    clone.#unsynced = this.#unsynced.map((change) =>
      change.map(([path, content]) => [path, content && copyOf(copies, content)] as const),
    );
    return clone;
  }

  afterPowerCut(copies: Copies, keep: () => boolean): CrashableNames {
    const clone = this.afterKill(copies);
    for (const change of clone.#unsynced) if (keep()) clone.#makeDurable(change);
    clone.#unsynced = [];
    for (const files of clone.#directories.values()) files.clear();
    for (const [path, content] of clone.#durable) clone.#set(path, content);
    return clone;
  }

  #makeDurable(change: NameChange): void {
    for (const [path, content] of change) {
      if (content === undefined) this.#durable.delete(path);
      else this.#durable.set(path, content);
    }
  }

  #set(path: string, content: CrashableContent | undefined): void {
    const { parent, name } = split(path);
    const files = this.#directories.get(parent);
    if (content === undefined) files?.delete(name);
    else files?.set(name, content);
  }
}

export type Copies = ReadonlyMap<CrashableContent, CrashableContent>;

type NameChange = readonly (readonly [path: string, content: CrashableContent | undefined])[];

function copyOf(copies: Copies, content: CrashableContent): CrashableContent {
  const copy = copies.get(content);
  assert(copy !== undefined, 'every named file is copied');
  return copy;
}

function mapValues<T>(map: ReadonlyMap<string, T>, change: (value: T) => T): Map<string, T> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

/** `a//b/` and `a/b` are one path. */
export function normalize(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

function split(path: string): { parent: string; name: string } {
  const slash = path.lastIndexOf('/');
  if (slash === 0) return { parent: '/', name: path.slice(1) };
  return { parent: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) };
}
