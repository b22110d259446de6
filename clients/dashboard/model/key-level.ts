/** One line of the tree: a level of topics, a key, or both (`plant1` beside `plant1/dev42`). */
export interface KeyBranch {
  readonly name: string;
  /** The key, if it is one, and what the keys below it begin with. */
  readonly path: string;
  readonly isKey: boolean;
  readonly hasBelow: boolean;
}

export interface KeyRange extends KeyCursor {
  /** The end, exclusive. */
  readonly to?: string | undefined;
}

/** Where a range begins. */
export interface KeyCursor {
  /** Inclusive. */
  readonly from?: string | undefined;
  /** Exclusive. */
  readonly after?: string | undefined;
}

export interface KeyPage {
  readonly keys: readonly string[];
  readonly more: boolean;
}

export interface KeyLevel {
  readonly branches: readonly KeyBranch[];
  /** Where to go on; undefined: that is all. */
  readonly next: KeyCursor | undefined;
}

/** What sorts right behind `/`: all keys below `a` are from `a/` to `a0`. */
const BEHIND_SLASH = '0';

/**
 * What is directly below `parent` (undefined: at the top), at least `branchesMax` lines of it if there are so many.
 * The store lists keys and knows no levels, so this skips: as soon as a page ends inside of a level it goes on
 * behind that level, however many keys are in there.
 */
export async function readLevel(
  parent: string | undefined,
  read: (range: KeyRange) => Promise<KeyPage>,
  { begin, branchesMax }: { readonly begin?: KeyCursor | undefined; readonly branchesMax: number },
): Promise<KeyLevel> {
  const start = parent === undefined ? '' : `${parent}/`;
  const to = parent === undefined ? undefined : parent + BEHIND_SLASH;
  const branches = new Map<string, KeyBranch>();
  let next: KeyCursor = begin ?? (start === '' ? {} : { from: start });
  for (;;) {
    const { keys, more }: KeyPage = await read({ ...next, to });
    for (const key of keys) add(branches, branchOf(start, key));
    const last = keys.at(-1);
    if (!more || last === undefined) return { branches: [...branches.values()], next: undefined };
    const name = nameBelow(start, last);
    const isInside = last.length > start.length + name.length;
    next = isInside ? { from: start + name + BEHIND_SLASH } : { after: last };
    if (branches.size >= branchesMax) return { branches: [...branches.values()], next };
  }
}

/** Lines of one level that were read one after the other: a key and the level of its name may lie far apart. */
export function joinBranches(first: readonly KeyBranch[], more: readonly KeyBranch[]): KeyBranch[] {
  const branches = new Map(first.map((branch) => [branch.name, branch]));
  for (const branch of more) add(branches, branch);
  return [...branches.values()];
}

function add(branches: Map<string, KeyBranch>, branch: KeyBranch): void {
  const known = branches.get(branch.name);
  branches.set(branch.name, {
    ...branch,
    isKey: branch.isKey || known?.isKey === true,
    hasBelow: branch.hasBelow || known?.hasBelow === true,
  });
}

function branchOf(start: string, key: string): KeyBranch {
  const name = nameBelow(start, key);
  const isKey = key.length === start.length + name.length;
  return { name, path: start + name, isKey, hasBelow: !isKey };
}

function nameBelow(start: string, key: string): string {
  const slash = key.indexOf('/', start.length);
  return slash === -1 ? key.slice(start.length) : key.slice(start.length, slash);
}

/** What keys that begin with `text` are to the store: a prefix of whole levels, and a range within. */
export function rangeOfSearch(text: string): KeyRange & { readonly prefix: string | undefined } {
  const slash = text.lastIndexOf('/');
  const prefix = slash > 0 ? text.slice(0, slash) : undefined;
  const last = [...text].at(-1);
  if (last === undefined) return { prefix };
  const code = last.codePointAt(0) ?? 0;
  // Behind U+D7FF come halves of pairs, which are no characters.
  const after = code === 0xd7ff ? 0xe000 : code + 1;
  const to =
    after > 0x10ffff ? undefined : text.slice(0, -last.length) + String.fromCodePoint(after);
  return { prefix, from: text, to };
}
