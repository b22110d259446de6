import { computed, signal } from '@preact/signals';
import {
  joinBranches,
  type KeyBranch,
  type KeyCursor,
  type KeyPage,
  readLevel,
} from '../model/key-level.ts';
import { listKeys } from './keys.ts';

interface Level {
  readonly branches: readonly KeyBranch[];
  readonly state: 'loading' | 'whole' | 'partial' | 'failed';
  readonly next: KeyCursor | undefined;
  /** Why it failed. */
  readonly detail: string;
}

/** One line of the tree as it is seen. */
export type TreeRow =
  | {
      readonly kind: 'branch';
      readonly branch: KeyBranch;
      readonly depth: number;
      readonly isOpen: boolean;
    }
  /** The end of what is loaded of a level that has more, or of one that is not there. */
  | {
      readonly kind: 'loading' | 'more' | 'failed';
      readonly parent: string | undefined;
      readonly depth: number;
      readonly detail: string;
    };

const PAGE_KEYS = 200;
const BRANCHES_MAX = 200;

/** No key has this character. */
const ROOT = '\0';
const nameOf = (parent: string | undefined): string => parent ?? ROOT;

const levels = signal<ReadonlyMap<string, Level>>(new Map());
const opened = signal<ReadonlySet<string>>(new Set());

/** What of the keys has been unfolded, from top to bottom. Stays while the page lives. */
export const treeRows = computed(() => rowsBelow(undefined, 0));

function rowsBelow(parent: string | undefined, depth: number): TreeRow[] {
  const level = levels.value.get(nameOf(parent));
  if (level === undefined) return [];
  const rows: TreeRow[] = level.branches.flatMap((branch) => {
    const isOpen = opened.value.has(branch.path);
    const row: TreeRow = { kind: 'branch', branch, depth, isOpen };
    return isOpen ? [row, ...rowsBelow(branch.path, depth + 1)] : [row];
  });
  const { state, detail } = level;
  if (state === 'whole') return rows;
  return [...rows, { kind: state === 'partial' ? 'more' : state, parent, depth, detail }];
}

export async function openBranch(path: string): Promise<void> {
  opened.value = new Set(opened.peek()).add(path);
  if (!levels.peek().has(path)) await loadLevel(path);
}

export function closeBranch(path: string): void {
  const left = new Set(opened.peek());
  left.delete(path);
  opened.value = left;
}

/** Unfolds everything above a key. */
export async function revealKey(key: string): Promise<void> {
  if (!levels.peek().has(ROOT)) await loadLevel(undefined);
  for (let at = key.indexOf('/'); at !== -1; at = key.indexOf('/', at + 1)) {
    await openBranch(key.slice(0, at));
  }
}

/** Reads again what has been read. */
export async function reloadTree(): Promise<void> {
  const known = [...levels.peek().keys()];
  await Promise.all(known.map((name) => loadLevel(name === ROOT ? undefined : name)));
}

export async function loadLevel(parent: string | undefined): Promise<void> {
  const known = levels.peek().get(nameOf(parent));
  set(parent, { branches: known?.branches ?? [], state: 'loading', next: undefined, detail: '' });
  await read(parent, undefined, []);
}

export async function loadMore(parent: string | undefined): Promise<void> {
  const known = levels.peek().get(nameOf(parent));
  if (known === undefined) return loadLevel(parent);
  set(parent, { ...known, state: 'loading' });
  await read(parent, known.next, known.branches);
}

async function read(
  parent: string | undefined,
  begin: KeyCursor | undefined,
  known: readonly KeyBranch[],
): Promise<void> {
  try {
    const options = { begin, branchesMax: BRANCHES_MAX };
    const { branches, next } = await readLevel(parent, (range) => page(parent, range), options);
    const state = next === undefined ? 'whole' : 'partial';
    set(parent, { branches: joinBranches(known, branches), state, next, detail: '' });
  } catch (error) {
    const detail = (error as Error).message;
    set(parent, { branches: known, state: 'failed', next: begin, detail });
  }
}

async function page(parent: string | undefined, range: KeyCursor): Promise<KeyPage> {
  // Who may read what is below this level only may list nothing else.
  const answer = await listKeys({ ...range, prefix: parent, limit: PAGE_KEYS });
  if (answer.kind !== 'ok') throw new Error(answer.detail);
  return answer.body;
}

function set(parent: string | undefined, level: Level): void {
  levels.value = new Map(levels.peek()).set(nameOf(parent), level);
}
