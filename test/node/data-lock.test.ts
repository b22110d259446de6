import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { type NodeOptions, startNode } from '../../node/main.ts';

it('a node does not start in a data directory that another has', async () => {
  const data = await mkdtemp(join(tmpdir(), 'dss-data-'));
  const unlock = await new OsVfs().lock(data);
  // Nothing else is looked at before the lock.
  const options = { data } as unknown as NodeOptions;
  await expect(startNode(options)).rejects.toMatchObject({
    name: 'NodeError',
    code: 'DIRECTORY_IN_USE',
    message: `the data directory ${data} is in use by process ${process.pid}.`,
  });
  await unlock();
  expect(await readdir(data)).toEqual([]);
  await rm(data, { recursive: true });
});
