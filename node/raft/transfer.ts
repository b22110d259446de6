import type { Progress } from './progress.ts';
import type { RaftState } from './state.ts';
import type { ReplicaId } from './types.ts';

/**
 * Handing leadership over (dissertation §3.10): the leader stops taking proposals, brings one voter up to its own
 * log's end, and tells it to campaign at once. What it promises meanwhile it keeps: until somebody else is
 * elected it leads, and answers reads.
 */

export function startTransfer(state: RaftState, to: ReplicaId): boolean {
  const progress = state.progress.get(to);
  if (state.role !== 'leader' || progress === undefined || to === state.id) return false;
  if (!state.configuration.voters.includes(to)) return false;
  if (state.transfer?.to === to) return true;
  state.transfer = { to, elapsedTicks: 0, toldAt: 0 };
  continueTransfer(state, progress);
  return true;
}

/** Whenever it may have become true that the next leader has the whole log. */
export function continueTransfer(state: RaftState, { replica: to, match }: Progress): void {
  const { id: from, log, outbox, term, transfer } = state;
  if (transfer?.to !== to || match < log.lastIndex || transfer.toldAt === match) return;
  transfer.toldAt = match;
  outbox.send({ kind: 'timeout-now', from, to, term });
}

/** Gives up after an election timeout: by then the other would have won. */
export function tickTransfer(state: RaftState): void {
  const { transfer, options } = state;
  if (transfer === undefined) return;
  transfer.elapsedTicks += 1;
  if (transfer.elapsedTicks >= options.electionTicks) state.transfer = undefined;
}
