import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Vfs, writeFileAtomically } from '../../../lsm/vfs/vfs.ts';

/** What every `Vfs` does, so that tests in memory say something about real disks. */
export function conformance(
  name: string,
  prepare: () => Promise<{ vfs: Vfs; directory: string; cleanUp: () => Promise<void> }>,
): void {
  describe(name, () => {
    let vfs: Vfs;
    let directory: string;
    let cleanUp: () => Promise<void>;
    beforeEach(async () => {
      ({ vfs, directory, cleanUp } = await prepare());
    });
    afterEach(() => cleanUp());

    it('reads what was written at any position, and less at the end of the file', async () => {
      const file = await vfs.open(`${directory}/a`, 'create');
      await file.write(0, Uint8Array.of(1, 2, 3, 4));
      await file.write(2, Uint8Array.of(9));
      await file.write(6, Uint8Array.of(7));
      await file.sync();
      expect([...(await file.read(1, 100))]).toEqual([2, 9, 4, 0, 0, 7]);
      expect([...(await file.read(7, 1))]).toEqual([]);
      expect([...(await file.read(90, 1))]).toEqual([]);
      expect(await file.size()).toBe(7);
      await file.close();
      expect([...(await vfs.readFile(`${directory}/a`))]).toEqual([1, 2, 9, 4, 0, 0, 7]);
    });

    it('truncates, and fills with zeros what is written beyond', async () => {
      const file = await vfs.open(`${directory}/a`, 'create');
      await file.write(0, Uint8Array.of(1, 2, 3, 4));
      await file.truncate(1);
      await file.write(3, Uint8Array.of(5));
      await file.truncate(6);
      expect([...(await file.read(0, 10))]).toEqual([1, 0, 0, 5, 0, 0]);
      await file.close();
    });

    it('opens with the codes of Node for what is there or not', async () => {
      await expect(vfs.open(`${directory}/a`, 'read')).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(vfs.open(`${directory}/a`, 'write')).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(vfs.open(`${directory}/x/a`, 'create')).rejects.toMatchObject({
        code: 'ENOENT',
      });
      await (await vfs.open(`${directory}/a`, 'create')).close();
      await expect(vfs.open(`${directory}/a`, 'create')).rejects.toMatchObject({ code: 'EEXIST' });
      await expect(vfs.readFile(`${directory}/b`)).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(vfs.list(`${directory}/x`)).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(vfs.remove(`${directory}/b`)).rejects.toMatchObject({ code: 'ENOENT' });
      const file = await vfs.open(`${directory}/a`, 'read');
      await expect(file.write(0, Uint8Array.of(1))).rejects.toMatchObject({ code: 'EBADF' });
      await file.close();
    });

    it('lists, renames and removes names; a file that is open lives on without one', async () => {
      await vfs.makeDirectory(`${directory}/c/d`);
      await vfs.makeDirectory(`${directory}/c/d`);
      for (const name of ['b', 'a'])
        await (await vfs.open(`${directory}/${name}`, 'create')).close();
      expect(await vfs.list(directory)).toEqual(['a', 'b', 'c']);
      const file = await vfs.open(`${directory}/a`, 'write');
      await vfs.rename(`${directory}/a`, `${directory}/b`);
      await vfs.remove(`${directory}/b`);
      await vfs.syncDirectory(directory);
      await file.write(0, Uint8Array.of(1));
      expect([...(await file.read(0, 9))]).toEqual([1]);
      await file.close();
      expect(await vfs.list(directory)).toEqual(['c']);
      expect(await vfs.exists(`${directory}/b`)).toBe(false);
      expect(await vfs.exists(`${directory}/c/d`)).toBe(true);
    });

    it('replaces a small file whole', async () => {
      await writeFileAtomically(vfs, directory, 'a', Uint8Array.of(1, 2));
      await writeFileAtomically(vfs, directory, 'a', Uint8Array.of(3));
      expect([...(await vfs.readFile(`${directory}/a`))]).toEqual([3]);
      expect(await vfs.list(directory)).toEqual(['a']);
    });
  });
}
