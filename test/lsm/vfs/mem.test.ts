import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { type Vfs, writeFileAtomically } from '../../../lsm/vfs/vfs.ts';
import { seeded } from '../../support/random.ts';
import { conformance } from './conformance.ts';

conformance('CrashableMemVfs', async () => {
  const vfs = new CrashableMemVfs();
  await vfs.makeDirectory('/data');
  return { vfs, directory: '/data', cleanUp: async () => {} };
});

const dropAll = { unsyncedKeepRatio: 0, random: () => 0 };
const keepAll = { unsyncedKeepRatio: 1, random: () => 0.99 };

async function withFile(content: Uint8Array) {
  const vfs = new CrashableMemVfs();
  await vfs.makeDirectory('/data');
  const file = await vfs.open('/data/a', 'create');
  await file.write(0, content);
  await file.sync();
  await vfs.syncDirectory('/data');
  return { vfs, file };
}

async function contentOf(vfs: Vfs): Promise<number[]> {
  return [...(await vfs.readFile('/data/a'))];
}

describe('a power cut', () => {
  it('takes unsynced writes and truncations, all or none of them as asked', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1, 2, 3));
    await file.write(1, Uint8Array.of(8, 8, 8));
    await file.truncate(2);
    await file.write(2, Uint8Array.of(9));
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 2, 3]);
    expect(await contentOf(vfs.crashClone(keepAll))).toEqual([1, 8, 9]);
    expect(await contentOf(vfs)).toEqual([1, 8, 9]);
    await file.sync();
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 8, 9]);
  });

  it('takes nothing of a file whose writes are durable, unless its sync fails', async () => {
    const { vfs } = await withFile(Uint8Array.of(1, 2, 3));
    const file = await vfs.open('/data/a', 'write-durable');
    await file.write(1, Uint8Array.of(8));
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 8, 3]);
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw new Error('EIO');
    };
    await expect(file.write(1, Uint8Array.of(9))).rejects.toThrow('EIO');
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 8, 3]);
  });

  it('leaves some sectors of a write and not others', async () => {
    const { vfs, file } = await withFile(new Uint8Array(2048).fill(1));
    await file.write(0, new Uint8Array(2048).fill(2));
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const content = await contentOf(vfs.crashClone({ random: seeded(seed) }));
      const sectors = [0, 512, 1024, 1536].map((at) => content.slice(at, at + 512));
      for (const sector of sectors) expect(new Set(sector).size, 'sectors are whole').toBe(1);
      outcomes.add(sectors.map((sector) => sector[0]).join(''));
    }
    expect(outcomes.size).toBe(16);
  });

  it('takes created, renamed and removed names of a folder that was not synced', async () => {
    const { vfs } = await withFile(Uint8Array.of(1));
    const created = await vfs.open('/data/b', 'create');
    await created.write(0, Uint8Array.of(2));
    await created.sync();
    await vfs.rename('/data/a', '/data/c');
    expect(await vfs.list('/data')).toEqual(['b', 'c']);
    expect(await vfs.crashClone(dropAll).list('/data')).toEqual(['a']);
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      seen.add((await vfs.crashClone({ random: seeded(seed) }).list('/data')).join());
    }
    expect([...seen].sort()).toEqual(['a', 'a,b', 'b,c', 'c']);
    await vfs.syncDirectory('/data');
    expect(await vfs.crashClone(dropAll).list('/data')).toEqual(['b', 'c']);
    await vfs.makeDirectory('/other');
    await vfs.remove('/data/c');
    await vfs.syncDirectory('/other');
    expect(await vfs.crashClone(dropAll).list('/data')).toEqual(['b', 'c']);
  });

  it('takes a second name that was not synced, and the bytes of both', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1));
    await vfs.link('/data/a', '/data/b');
    await file.write(0, Uint8Array.of(2));
    expect(await vfs.crashClone(dropAll).list('/data')).toEqual(['a']);
    await vfs.syncDirectory('/data');
    const clone = vfs.crashClone(dropAll);
    expect(await clone.list('/data')).toEqual(['a', 'b']);
    expect([...(await clone.readFile('/data/b'))]).toEqual([1]);
    (await clone.open('/data/a', 'write')).writeSync(0, Uint8Array.of(3));
    expect([...(await clone.readFile('/data/b'))]).toEqual([3]);
  });

  it('leaves nothing locked', async () => {
    const { vfs } = await withFile(Uint8Array.of(1));
    await vfs.lock('/data');
    await (await vfs.crashClone(keepAll).lock('/data'))();
    await (await vfs.processCrashClone().lock('/data'))();
  });

  it('takes for good what a failed sync has given up', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1, 1));
    await file.write(0, Uint8Array.of(2));
    vfs.onOperation = ({ kind }) => {
      if (kind === 'sync') throw new Error('EIO');
    };
    await expect(file.sync()).rejects.toThrow('EIO');
    vfs.onOperation = undefined;
    await file.write(1, Uint8Array.of(3));
    await file.sync();
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 3]);
    expect(await contentOf(vfs)).toEqual([2, 3]);
  });

  it('after a kill still takes what the killed process had not synced', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1));
    await file.write(0, Uint8Array.of(2));
    await vfs.open('/data/b', 'create');
    const killed = vfs.processCrashClone();
    await file.write(0, Uint8Array.of(3));
    expect(await contentOf(killed)).toEqual([2]);
    expect(await killed.list('/data')).toEqual(['a', 'b']);
    expect(await contentOf(killed.crashClone(dropAll))).toEqual([1]);
    expect(await killed.crashClone(dropAll).list('/data')).toEqual(['a']);
    await (await killed.open('/data/a', 'write')).sync();
    expect(await contentOf(killed.crashClone(dropAll))).toEqual([2]);
  });

  it('never takes synced bytes, whatever is written after', async () => {
    const change = fc.record({
      position: fc.nat(1500),
      length: fc.integer({ min: 1, max: 1500 }),
      kind: fc.constantFrom('write', 'write', 'truncate', 'sync'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change), fc.integer(), async (changes, seed) => {
        const { vfs, file } = await withFile(new Uint8Array(0));
        let expected = new Uint8Array(0);
        let synced = expected;
        for (const [at, { kind, position, length }] of changes.entries()) {
          if (kind === 'sync') {
            await file.sync();
            synced = expected.slice();
          } else if (kind === 'truncate') {
            await file.truncate(position);
            expected = resized(expected, position);
          } else {
            const bytes = new Uint8Array(length).fill(at + 1);
            await file.write(position, bytes);
            expected = resized(expected, Math.max(expected.length, position + length));
            expected.set(bytes, position);
          }
        }
        expect(Buffer.compare(await vfs.readFile('/data/a'), expected)).toBe(0);
        const cut = async (options: Parameters<CrashableMemVfs['crashClone']>[0]) =>
          vfs.crashClone(options).readFile('/data/a');
        expect(Buffer.compare(await cut(dropAll), synced)).toBe(0);
        expect(Buffer.compare(await cut(keepAll), expected)).toBe(0);
        await cut({ random: seeded(seed) });
        expect(Buffer.compare(await vfs.readFile('/data/a'), expected)).toBe(0);
      }),
    );
  });

  it('leaves a file that is replaced atomically old or new', async () => {
    for (let failing = 0; ; failing++) {
      const { vfs } = await withFile(Uint8Array.of(1));
      let left = failing;
      vfs.onOperation = () => {
        if (left-- === 0) throw new Error('crash');
      };
      const outcome = await writeFileAtomically(vfs, '/data', 'a', Uint8Array.of(2, 2)).catch(
        () => 'crashed',
      );
      vfs.onOperation = undefined;
      for (let seed = 0; seed < 10; seed++) {
        const content = await contentOf(vfs.crashClone({ random: seeded(seed) }));
        if (outcome === 'crashed') expect([[1], [2, 2]]).toContainEqual(content);
        else expect(content).toEqual([2, 2]);
      }
      if (outcome !== 'crashed') break;
    }
  });
});

describe('hooks of the memory file system', () => {
  it('hold an operation back until their promise resolves', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1));
    let go = () => {};
    vfs.onOperation = () => new Promise((resolve) => (go = resolve));
    const writing = file.write(0, Uint8Array.of(2));
    vfs.onOperation = undefined;
    expect(await contentOf(vfs)).toEqual([1]);
    go();
    await writing;
    expect(await contentOf(vfs)).toEqual([2]);
  });

  it('let a blocking operation fail, and do not make it wait', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1));
    vfs.onOperation = async () => {
      throw new Error('later');
    };
    file.writeSync(0, Uint8Array.of(2));
    expect([...file.readSync(0, 1)]).toEqual([2]);
    const kinds: string[] = [];
    vfs.onOperation = ({ kind }) => {
      kinds.push(kind);
      throw new Error('EIO');
    };
    expect(() => file.writeSync(0, Uint8Array.of(3))).toThrow('EIO');
    expect(() => file.readSync(0, 1)).toThrow('EIO');
    expect(() => vfs.openSync('/data/a')).toThrow('EIO');
    await expect(vfs.link('/data/a', '/data/b')).rejects.toThrow('EIO');
    await expect(vfs.lock('/data')).rejects.toThrow('EIO');
    expect(kinds).toEqual(['write', 'read', 'open', 'link', 'lock']);
    vfs.onOperation = undefined;
    expect([...file.readSync(0, 1)]).toEqual([2]);
  });

  it('let reads be had at once, or not', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1));
    expect(file.readNow(0, 1)).toBeUndefined();
    vfs.readsNow = true;
    expect([...(file.readNow(0, 1) ?? [])]).toEqual([1]);
  });

  it('fill the disk, which takes nothing more until something is removed', async () => {
    const { vfs, file } = await withFile(Uint8Array.of(1, 2, 3));
    vfs.bytesMax = 5;
    await file.write(2, Uint8Array.of(4, 5, 6));
    await expect(file.write(4, Uint8Array.of(7, 8))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => file.writeSync(5, Uint8Array.of(7))).toThrow(/ENOSPC/);
    await expect(file.truncate(6)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await contentOf(vfs)).toEqual([1, 2, 4, 5, 6]);
    file.writeSync(0, Uint8Array.of(9));
    const other = await vfs.open('/data/b', 'create');
    expect(() => other.writeSync(0, Uint8Array.of(1))).toThrow(/ENOSPC/);
    await vfs.link('/data/a', '/data/c');
    await file.truncate(3);
    other.writeSync(0, Uint8Array.of(1, 2));
    await vfs.remove('/data/a');
    await expect(other.write(2, Uint8Array.of(3))).rejects.toMatchObject({ code: 'ENOSPC' });
    await vfs.remove('/data/c');
    await other.write(2, Uint8Array.of(3, 4, 5));
  });

  it('flip bits', async () => {
    const { vfs } = await withFile(Uint8Array.of(1, 2));
    vfs.damage('/data/a', 1, 0x81);
    expect(await contentOf(vfs)).toEqual([1, 0x83]);
    expect(await contentOf(vfs.crashClone(dropAll))).toEqual([1, 0x83]);
  });
});

function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(0, length));
  return copy;
}
