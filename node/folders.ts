import type { Vfs } from '../lsm/vfs/vfs.ts';

/** In the data directory, by engine: which of them there is tells what it was made with. */
export const ENGINE_FOLDERS = { lsm: 'tables', 'classic-level': 'classic-level' } as const;

export type EngineName = keyof typeof ENGINE_FOLDERS;

export function logFolder(generation: number): string {
  return ofGeneration('log', generation);
}

export function engineFolder(engine: EngineName, generation: number): string {
  return ofGeneration(ENGINE_FOLDERS[engine], generation);
}

/** A node that begins anew leaves what it had where it is: until it is let in, that may be all there is. */
function ofGeneration(folder: string, generation: number): string {
  return generation === 1 ? folder : `${folder}-${generation}`;
}

/** Log and tables of all generations before this one. What a crash leaves over is removed by doing it again. */
export async function removeEarlierGenerations(
  vfs: Vfs,
  directory: string,
  generation: number,
): Promise<void> {
  for (let earlier = 1; earlier < generation; earlier++) {
    for (const folder of ['log', ...Object.values(ENGINE_FOLDERS)]) {
      await removeFiles(vfs, `${directory}/${ofGeneration(folder, earlier)}`);
    }
  }
}

async function removeFiles(vfs: Vfs, folder: string): Promise<void> {
  if (!(await vfs.exists(folder))) return;
  for (const name of await vfs.list(folder)) await vfs.remove(`${folder}/${name}`);
  await vfs.syncDirectory(folder);
}
