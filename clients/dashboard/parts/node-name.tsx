import { status } from '../api/cluster.ts';

const COLOURS = 8;

/** Nodes have the same colour everywhere: by their place among all names. */
export function colourOf(name: string): string {
  const names = (status.value?.nodes ?? []).map((node) => node.name).sort();
  const at = names.indexOf(name);
  return at === -1 ? 'var(--ink-3)' : `var(--node-${(at % COLOURS) + 1})`;
}

/** A node's name behind its colour. */
export function NodeName({
  name,
  isLeader = false,
}: {
  readonly name: string;
  readonly isLeader?: boolean;
}) {
  return (
    <span class={isLeader ? 'node-name leader' : 'node-name'}>
      <span class="swatch" style={{ background: colourOf(name) }} />
      {name}
      {isLeader && <span class="unseen"> (leader)</span>}
    </span>
  );
}
