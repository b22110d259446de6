import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import { CLASSIC_LEVEL_ENGINE } from '../../node/edge/classic-level.ts';
import { LSM_ENGINE, refuseOtherEngine } from '../../node/engine-choice.ts';
import { engineFolder } from '../../node/folders.ts';

const BOTH = [
  [LSM_ENGINE, CLASSIC_LEVEL_ENGINE],
  [CLASSIC_LEVEL_ENGINE, LSM_ENGINE],
] as const;

describe('the storage engine of a data directory', () => {
  it.each(BOTH)('stays $name, until its node begins anew', async (mine, other) => {
    const vfs = new CrashableMemVfs();
    const folder = `/data/${engineFolder(mine.name, 2)}`;
    await vfs.makeDirectory(folder);
    // Nothing was stored yet: either will do.
    for (const engine of [mine, other]) await refuseOtherEngine(vfs, '/data', engine, 2);
    const file = await vfs.open(`${folder}/CURRENT`, 'create');
    await file.close();
    await refuseOtherEngine(vfs, '/data', mine, 2);
    const refused = refuseOtherEngine(vfs, '/data', other, 2);
    await expect(refused).rejects.toMatchObject({
      code: 'OTHER_ENGINE',
      message: `the data directory /data was made with the storage engine ${mine.name}, but storage.engine is ${other.name}: set ${mine.name}, or start with an empty directory.`,
    });
    for (const engine of [mine, other]) await refuseOtherEngine(vfs, '/data', engine, 3);
  });
});
