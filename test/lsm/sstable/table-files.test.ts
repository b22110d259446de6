import { describe, expect, it } from 'vitest';
import { tableFileName } from '../../../lsm/sstable/format.ts';
import { TableFiles } from '../../../lsm/sstable/table-files.ts';
import { CrashableMemVfs, type VfsOperation } from '../../../lsm/vfs/mem.ts';
import type { Vfs, VfsFile } from '../../../lsm/vfs/vfs.ts';

/** Files 1 to `count`, each with its number as its only byte. */
async function setUp(count: number, openFilesMax: number) {
  const vfs = new CrashableMemVfs();
  for (let number = 1; number <= count; number++) {
    const file = await vfs.open(`/${tableFileName(number)}`, 'create');
    await file.write(0, Uint8Array.of(number));
    await file.close();
  }
  const operations: VfsOperation['kind'][] = [];
  vfs.onOperation = ({ kind }) => {
    operations.push(kind);
  };
  const handles = { open: 0 };
  const counting = countHandles(vfs, handles);
  const files = new TableFiles({ vfs: counting, directory: '/', openFilesMax });
  const opens = () => operations.filter((kind) => kind === 'open').length;
  return { vfs, files, opens, handles };
}

/** Counts what is open, and sees that nothing is closed under a read. */
function countHandles(vfs: CrashableMemVfs, handles: { open: number }): Vfs {
  const watch = (file: VfsFile): VfsFile => {
    handles.open++;
    let reading = 0;
    return Object.assign(Object.create(file), {
      readNow: () => undefined,
      readSync: (position: number, length: number) => file.readSync(position, length),
      read: async (position: number, length: number) => {
        reading++;
        await Promise.resolve();
        const bytes = await file.read(position, length);
        reading--;
        return bytes;
      },
      close: async () => {
        expect(reading).toBe(0);
        handles.open--;
        await file.close();
      },
    });
  };
  return Object.assign(Object.create(vfs), {
    open: async (path: string, mode: 'read') => watch(await vfs.open(path, mode)),
    openSync: (path: string) => watch(vfs.openSync(path)),
  });
}

describe('the files of tables', () => {
  it('stay open up to their number and are opened again', async () => {
    const { files, opens, handles } = await setUp(5, 2);
    for (let round = 0; round < 3; round++) {
      for (let number = 1; number <= 5; number++) {
        const access = (round + number) % 2 === 0 ? 'wait' : 'block';
        expect(await files.read(number, 0, 9, access)).toEqual(Uint8Array.of(number));
        expect(files.openCount).toBeLessThanOrEqual(2);
      }
    }
    expect(opens()).toBe(15);
    await files.read(5, 0, 1, 'wait');
    await files.read(4, 0, 1, 'block');
    expect(opens()).toBe(15);
    await files.closeAll();
    expect(handles.open).toBe(0);
  });

  it('close the one unused longest', async () => {
    const { files, opens } = await setUp(3, 2);
    for (const number of [1, 2, 1, 3]) files.read(number, 0, 1, 'block');
    expect(opens()).toBe(3);
    files.read(1, 0, 1, 'block');
    expect(opens()).toBe(3);
    files.read(2, 0, 1, 'block');
    expect(opens()).toBe(4);
  });

  it('are not closed under a read, however many there are', async () => {
    const { files, handles } = await setUp(8, 1);
    const reads = Array.from({ length: 64 }, (_, i) => files.readLater(1 + (i % 8), 0, 1));
    const bytes = await Promise.all(reads);
    expect(bytes.map(([byte]) => byte)).toEqual(bytes.map((_, i) => 1 + (i % 8)));
    expect(files.openCount).toBe(1);
    await files.closeAll();
    expect(handles.open).toBe(0);
  });

  it('close a file after the reads in flight, and open it once for many who wait', async () => {
    const { files, opens, handles } = await setUp(1, 4);
    const reads = [1, 2, 3].map(() => files.readLater(1, 0, 1));
    const now = files.read(1, 0, 1, 'block');
    expect(now).toEqual(Uint8Array.of(1));
    await files.close(1);
    expect(await Promise.all(reads)).toEqual([now, now, now]);
    expect(opens()).toBe(2);
    expect(handles.open).toBe(0);
    expect(files.openCount).toBe(0);
    await files.read(1, 0, 1, 'wait');
    expect(opens()).toBe(3);
  });

  it('that cannot be opened fail the read, and the next one tries again', async () => {
    const { vfs, files } = await setUp(1, 4);
    await expect(files.read(2, 0, 1, 'wait')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(() => files.read(2, 0, 1, 'block')).toThrow(/ENOENT/);
    expect(files.openCount).toBe(0);
    await vfs.rename(`/${tableFileName(1)}`, `/${tableFileName(2)}`);
    expect(await files.read(2, 0, 1, 'wait')).toEqual(Uint8Array.of(1));
  });

  it('are closed at the end, and reads fail by saying so', async () => {
    const { files } = await setUp(2, 4);
    const read = files.readLater(1, 0, 1);
    await files.closeAll();
    expect(await read).toEqual(Uint8Array.of(1));
    expect(() => files.read(1, 0, 1, 'block')).toThrow(/closed/);
    await expect(files.readLater(1, 0, 1)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' });
  });
});
