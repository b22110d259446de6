import type { Vfs } from '../vfs/vfs.ts';
import { LogGroup } from './log-group.ts';
import { recover } from './recovery.ts';
import { replay } from './replay.ts';
import { areReplicasLost } from './replicas.ts';
import { scanLog } from './segment-scan.ts';
import type { RecoveredGroup } from './types.ts';

/** What a log would recover, without writing anything: of a node that stands still. */
export async function inspectLog(
  vfs: Vfs,
  directory: string,
): Promise<{ readonly groups: readonly RecoveredGroup[]; readonly replicasLost: boolean }> {
  const recovery = recover(await scanLog(vfs, directory));
  const { groups } = replay(recovery);
  return {
    groups: groups.map((group) => LogGroup.recovered(group).recoveredState(group.suspect)),
    replicasLost: areReplicasLost(recovery, groups),
  };
}
