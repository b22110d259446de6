import { quorumValue } from './quorum.ts';
import { announceCommit, appendAsLeader } from './replication.ts';
import type { RaftState } from './state.ts';
import { EntryKind } from './types.ts';

/** Commits what a quorum has durably, if it is of this term (Raft §5.4.2). */
export function advanceCommit(state: RaftState): void {
  const { log, progress } = state;
  const index = quorumValue(state.configuration, (id) => progress.get(id)?.match ?? 0);
  if (index < state.termFirstIndex || index <= log.commit) return;
  const firstIndex = Math.max(log.commit, state.termFirstIndex) + 1;
  state.uncommittedBytes -= log.bytesBetween(firstIndex, index);
  log.commitTo(index);
  announceCommit(state);
  leaveJoint(state);
}

/**
 * The second half of a change of voters (Raft §6): once the joint configuration is committed, nobody decides by
 * the old majority alone any more, and the new one takes over. A leader that has inherited the joint
 * configuration does the same, when an entry of its own term is committed.
 */
function leaveJoint(state: RaftState): void {
  const { log, options, configuration } = state;
  const newest = log.configurations.all.at(-1);
  if (newest === undefined || configuration.outgoing.length === 0) return;
  if (!state.isConfigurationCommitted) return;
  const data = options.configurationCodec.leaveJoint(newest.data);
  appendAsLeader(state, [{ kind: EntryKind.configuration, data }]);
}
