import { Db } from '../lsm/db.ts';
import type { StorageEngine } from '../lsm/engine.ts';
import type { DbOptions } from '../lsm/options.ts';
import type { Vfs } from '../lsm/vfs/vfs.ts';
import { NodeError } from './errors.ts';
import { ENGINE_FOLDERS, type EngineName, engineFolder } from './folders.ts';

/** What holds the tables of a node (`storage.engine`). */
export interface EngineChoice {
  readonly name: EngineName;
  /** An engine takes of the options what it knows. */
  open(options: DbOptions): Promise<StorageEngine>;
}

export const LSM_ENGINE: EngineChoice = { name: 'lsm', open: (options) => Db.open(options) };

/**
 * A data directory stays with the engine that it was made with: opened with the other, the node would miss everything
 * that its log does not hold any more.
 *
 * @param generation of the node that it holds
 * @throws {NodeError} OTHER_ENGINE, naming both
 */
export async function refuseOtherEngine(
  vfs: Vfs,
  directory: string,
  { name }: EngineChoice,
  generation: number,
): Promise<void> {
  for (const other of Object.keys(ENGINE_FOLDERS) as EngineName[]) {
    const path = `${directory}/${engineFolder(other, generation)}`;
    if (other === name || !(await vfs.exists(path))) continue;
    if ((await vfs.list(path)).length === 0) continue;
    throw new NodeError(
      'OTHER_ENGINE',
      `the data directory ${directory} was made with the storage engine ${other}, but storage.engine is ${name}: set ${other}, or start with an empty directory.`,
    );
  }
}
