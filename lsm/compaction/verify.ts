import type { CorruptionDetail } from '../corruption.ts';
import type { Offload } from '../offload/offload.ts';
import type { TableMeta } from '../sstable/table-meta.ts';
import type { VersionSet } from '../version/version-set.ts';
import type { VerifyInput } from './job.ts';

/** Reads every table there is now, but for those that are known to be damaged. Returns how many. */
export async function verifyTables(
  versions: VersionSet,
  offload: Offload,
  directory: string,
  onDamage: (detail: CorruptionDetail) => void,
): Promise<number> {
  const version = versions.acquire();
  try {
    const tables = version.tables().filter(({ damaged }) => !damaged);
    for (const table of tables) {
      for (const detail of await verifyTable(offload, directory, table)) onDamage(detail);
    }
    return tables.length;
  } finally {
    versions.release(version);
  }
}

/** Every place of a table that is not as it was written. The table must be in a version that is held. */
export function verifyTable(
  offload: Offload,
  directory: string,
  table: TableMeta,
): Promise<CorruptionDetail[]> {
  const input: VerifyInput = { directory, table };
  return offload.run('verify', input) as Promise<CorruptionDetail[]>;
}
