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

    it('writes what is durable at once as it writes everything else', async () => {
      const created = await vfs.open(`${directory}/a`, 'create-durable');
      await created.write(0, Uint8Array.of(1, 2, 3));
      expect([...(await created.read(1, 2))]).toEqual([2, 3]);
      await created.close();
      const reopened = await vfs.open(`${directory}/a`, 'write-durable');
      await reopened.write(2, Uint8Array.of(7, 8));
      await reopened.sync();
      await reopened.close();
      expect([...(await vfs.readFile(`${directory}/a`))]).toEqual([1, 2, 7, 8]);
      await expect(vfs.open(`${directory}/a`, 'create-durable')).rejects.toMatchObject({
        code: 'EEXIST',
      });
      await expect(vfs.open(`${directory}/b`, 'write-durable')).rejects.toMatchObject({
        code: 'ENOENT',
      });
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

    it('reads and writes blocking what waiting calls read and write', async () => {
      const file = await vfs.open(`${directory}/a`, 'create');
      await file.write(0, Uint8Array.of(1, 2, 3));
      file.writeSync(2, Uint8Array.of(8, 9));
      file.writeSync(0, new Uint8Array(0));
      expect([...(await file.read(0, 9))]).toEqual([1, 2, 8, 9]);
      expect([...file.readSync(1, 2)]).toEqual([2, 8]);
      expect([...file.readSync(3, 9)]).toEqual([9]);
      expect([...file.readSync(5, 1)]).toEqual([]);
      expect([undefined, '2,8']).toContain(file.readNow(1, 2)?.join());
      const reader = vfs.openSync(`${directory}/a`);
      expect([...reader.readSync(0, 9)]).toEqual([1, 2, 8, 9]);
      expect(await reader.size()).toBe(4);
      expect(() => reader.writeSync(0, Uint8Array.of(1))).toThrow(/EBADF/);
      expect(() => vfs.openSync(`${directory}/b`)).toThrow(/ENOENT/);
      await file.close();
      await reader.close();
    });

    it('lets what has begun finish when a file is closed, and nothing begin after', async () => {
      const file = await vfs.open(`${directory}/a`, 'create');
      const begun = Promise.all([
        file.write(0, Uint8Array.of(1)),
        file.write(1, Uint8Array.of(2)),
        file.sync(),
      ]);
      const closed = file.close();
      await expect(file.read(0, 1)).rejects.toMatchObject({ code: 'EBADF' });
      await expect(file.close()).rejects.toMatchObject({ code: 'EBADF' });
      expect(() => file.readSync(0, 1)).toThrow(/EBADF/);
      expect(() => file.writeSync(0, Uint8Array.of(1))).toThrow(/EBADF/);
      await begun;
      await closed;
      expect([...(await vfs.readFile(`${directory}/a`))]).toEqual([1, 2]);
    });

    it('gives a file a second name, which lives on without the first', async () => {
      const file = await vfs.open(`${directory}/a`, 'create');
      await vfs.link(`${directory}/a`, `${directory}/b`);
      await file.write(0, Uint8Array.of(1));
      await expect(vfs.link(`${directory}/a`, `${directory}/b`)).rejects.toMatchObject({
        code: 'EEXIST',
      });
      for (const [from, to] of [
        ['x', 'c'],
        ['a', 'x/c'],
      ])
        await expect(vfs.link(`${directory}/${from}`, `${directory}/${to}`)).rejects.toMatchObject({
          code: 'ENOENT',
        });
      await vfs.remove(`${directory}/a`);
      expect(await vfs.list(directory)).toEqual(['b']);
      expect([...(await vfs.readFile(`${directory}/b`))]).toEqual([1]);
      await file.close();
    });

    it('locks a directory for one at a time', async () => {
      await vfs.makeDirectory(`${directory}/c`);
      const unlock = await vfs.lock(`${directory}/c`);
      await expect(vfs.lock(`${directory}/c/`)).rejects.toMatchObject({
        name: 'LsmError',
        code: 'DIRECTORY_IN_USE',
      });
      await (await vfs.lock(directory))();
      await unlock();
      await (await vfs.lock(`${directory}/c`))();
      await expect(vfs.lock(`${directory}/d`)).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('replaces a small file whole', async () => {
      await writeFileAtomically(vfs, directory, 'a', Uint8Array.of(1, 2));
      await writeFileAtomically(vfs, directory, 'a', Uint8Array.of(3));
      expect([...(await vfs.readFile(`${directory}/a`))]).toEqual([3]);
      expect(await vfs.list(directory)).toEqual(['a']);
    });
  });
}
