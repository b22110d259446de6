import { nowMs } from '../api/cluster.ts';
import { type Polled, usePolled } from '../api/polled.ts';
import type { Move } from '../model/documents.ts';
import { bytes, duration, listed } from '../model/format.ts';
import { progressOf } from '../model/progress.ts';
import { Empty, Panel } from './panel.tsx';

const PERIOD_MS = 3_000;

export function useMoves(): Polled<{ readonly moves: readonly Move[] }> {
  return usePolled<{ moves: readonly Move[] }>('v1/moves', PERIOD_MS).value;
}

/** Shards on their way from node to node. */
export function MoveList() {
  const { body, problem } = useMoves();
  return (
    <Panel title="Moves">
      <Moves moves={body?.moves} problem={problem} />
    </Panel>
  );
}

interface MovesProps {
  readonly moves: readonly Move[] | undefined;
  readonly problem: string | undefined;
}

export function Moves({ moves, problem }: MovesProps) {
  if (moves === undefined) return <Empty>{problem ?? 'Asking…'}</Empty>;
  if (moves.length === 0) return <Empty>Nothing moves from node to node.</Empty>;
  return (
    <ul class="moves">
      {moves.map((move) => (
        <MoveItem key={`${move.group} ${move.detectedAtMs}`} move={move} />
      ))}
    </ul>
  );
}

function MoveItem({ move }: { readonly move: Move }) {
  const { group, reason, state, to, from, bytes: size, msLeft } = move;
  const progress = progressOf(move, nowMs.value);
  const percent = progress === undefined ? undefined : Math.round(progress * 100);
  const where = [
    from.length > 0 ? `from ${listed(from)}` : '',
    to.length > 0 ? `to ${listed(to)}` : '',
  ];
  const left = msLeft === null ? '' : `, ${duration(msLeft)} left`;
  return (
    <li>
      <p>
        <a href={`#/ring/${group}`}>Shard {group}</a> {where.join(' ')}
        <span class="quiet"> · {reason.replaceAll('-', ' ')}</span>
      </p>
      <p class="facts">{state === 'waiting' ? 'waits' : `${bytes(size)}${left}`}</p>
      {percent !== undefined && (
        <progress value={percent} max={100} aria-label={`Move of shard ${group}`}>
          {percent} %
        </progress>
      )}
    </li>
  );
}
