import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { closeBranch, loadMore, openBranch, type TreeRow, treeRows } from '../api/key-tree.ts';
import { Empty } from '../parts/panel.tsx';
import { go } from '../router.ts';

type BranchRow = Extract<TreeRow, { kind: 'branch' }>;

/**
 * Keys by topic level, as a tree that the arrow keys walk (WAI-ARIA APG, Tree View): one line of it is in the order
 * of the Tab key.
 */
export function KeyTree({ chosen }: { readonly chosen: string | undefined }) {
  const rows = treeRows.value;
  const branches = rows.filter((row): row is BranchRow => row.kind === 'branch');
  const focused = useSignal<string | undefined>(chosen);
  const isMoving = useRef(false);
  const list = useRef<HTMLDivElement>(null);
  const stop = branches.some(({ branch }) => branch.path === focused.value)
    ? focused.value
    : branches[0]?.branch.path;

  // Focus follows the keys, after the line is there.
  useLayoutEffect(() => {
    if (!isMoving.current) return;
    isMoving.current = false;
    const line = list.current?.querySelector<HTMLElement>('[tabindex="0"]');
    line?.focus();
    line?.scrollIntoView({ block: 'nearest' });
  });
  const move = (row: BranchRow | undefined): void => {
    if (row === undefined) return;
    isMoving.current = true;
    focused.value = row.branch.path;
  };
  const press = (event: KeyboardEvent): void => {
    const at = branches.findIndex(({ branch }) => branch.path === stop);
    const row = branches[at];
    if (row === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const act = keyAction(event.key, { branches, at, row, move });
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  if (rows.length === 0) return <Empty>There are no keys yet.</Empty>;
  return (
    <div
      class="tree"
      role="tree"
      aria-label="Keys by level"
      aria-busy={branches.length === 0}
      ref={list}
      onKeyDown={press}
    >
      {rows.map((row) =>
        row.kind === 'branch' ? (
          <Branch
            key={row.branch.path}
            row={row}
            isStop={row.branch.path === stop}
            isChosen={row.branch.path === chosen}
            onFocus={() => {
              focused.value = row.branch.path;
            }}
          />
        ) : (
          <Rest key={`${row.kind} ${row.parent}`} row={row} />
        ),
      )}
    </div>
  );
}

interface KeyContext {
  readonly branches: readonly BranchRow[];
  readonly at: number;
  readonly row: BranchRow;
  readonly move: (row: BranchRow | undefined) => void;
}

function keyAction(
  pressed: string,
  { branches, at, row, move }: KeyContext,
): (() => void) | undefined {
  const { branch, isOpen, depth } = row;
  switch (pressed) {
    case 'ArrowDown':
      return () => move(branches[at + 1]);
    case 'ArrowUp':
      return () => move(branches[at - 1]);
    case 'Home':
      return () => move(branches[0]);
    case 'End':
      return () => move(branches.at(-1));
    case 'ArrowRight':
      if (!branch.hasBelow) return undefined;
      return () => (isOpen ? move(branches[at + 1]) : void openBranch(branch.path));
    case 'ArrowLeft':
      if (isOpen) return () => closeBranch(branch.path);
      return () => move(branches.slice(0, at).findLast((above) => above.depth < depth));
    case 'Enter':
    case ' ':
      return () => choose(row);
    default:
      return undefined;
  }
}

/** A key is shown; a level that is none is unfolded. */
function choose({ branch, isOpen }: BranchRow): void {
  if (branch.isKey) go('keys', branch.path);
  else if (isOpen) closeBranch(branch.path);
  else void openBranch(branch.path);
}

interface BranchProps {
  readonly row: BranchRow;
  readonly isStop: boolean;
  readonly isChosen: boolean;
  readonly onFocus: () => void;
}

function Branch({ row, isStop, isChosen, onFocus }: BranchProps) {
  const { branch, depth, isOpen } = row;
  const { name, path, isKey, hasBelow } = branch;
  const fold = (event: MouseEvent): void => {
    event.stopPropagation();
    if (isOpen) closeBranch(path);
    else void openBranch(path);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys.
    <div
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={hasBelow ? isOpen : undefined}
      aria-selected={isChosen}
      tabIndex={isStop ? 0 : -1}
      class={isKey ? 'line key' : 'line'}
      style={{ '--depth': depth }}
      onClick={() => choose(row)}
      onFocus={onFocus}
    >
      {hasBelow ? (
        <span class={isOpen ? 'fold open' : 'fold'} onClick={fold} aria-hidden="true" />
      ) : (
        <span class="fold none" aria-hidden="true" />
      )}
      <span class="name">{name === '' ? <em>no name</em> : name}</span>
      {hasBelow && (
        <span class="quiet" aria-hidden="true">
          /
        </span>
      )}
    </div>
  );
}

/** Who may read some keys only may not list all of them. */
const HINT = 'What begins with a level that you may read can be searched for: plant1/';

function Rest({ row }: { readonly row: Exclude<TreeRow, BranchRow> }) {
  const { kind, parent, depth, detail } = row;
  return (
    <div class={`line rest ${kind}`} role="none" style={{ '--depth': depth }}>
      {kind === 'loading' ? (
        'Reading…'
      ) : (
        <>
          {kind === 'failed' && <span>{parent === undefined ? `${detail}. ${HINT}` : detail}</span>}
          <button type="button" class="link" onClick={() => void loadMore(parent)}>
            {kind === 'more' ? 'More…' : 'Try again'}
          </button>
        </>
      )}
    </div>
  );
}
