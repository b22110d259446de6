import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../lsm/hash/crc32c.ts';
import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { writeFileAtomically } from '../../../lsm/vfs/vfs.ts';
import { NodeError } from '../../../node/errors.ts';
import { readStateFile, writeStateFile } from '../../../node/membership/state-file.ts';
import { SeededRandom } from '../../support/random.ts';
import { text, utf8 } from '../support.ts';

async function directoryWith(content: string): Promise<CrashableMemVfs> {
  const vfs = new CrashableMemVfs();
  await vfs.makeDirectory('/data');
  await writeStateFile(vfs, '/data', 'f', utf8(content));
  return vfs;
}

const read = async (vfs: CrashableMemVfs) => {
  const found = await readStateFile(vfs, '/data', 'f');
  return found === undefined ? undefined : text(found);
};

async function truncate(vfs: CrashableMemVfs, path: string, length: number): Promise<void> {
  const file = await vfs.open(path, 'write');
  await file.truncate(length);
  await file.close();
}

describe('a state file', () => {
  it('is read as it was written last; before that there is none', async () => {
    const vfs = new CrashableMemVfs();
    await vfs.makeDirectory('/data');
    expect(await read(vfs)).toBeUndefined();
    await writeStateFile(vfs, '/data', 'f', utf8('one'));
    await writeStateFile(vfs, '/data', 'f', utf8('two'));
    expect(await read(vfs)).toBe('two');
    await writeStateFile(vfs, '/data', 'f', new Uint8Array(0));
    expect(await read(vfs)).toBe('');
  });

  it('outlives damage to any byte of one copy', async () => {
    for (const copy of ['f', 'f.copy']) {
      for (let offset = 0; offset < 5 + 'content'.length; offset++) {
        const vfs = await directoryWith('content');
        vfs.damage(`/data/${copy}`, offset, 0x40);
        expect(await read(vfs), `${copy} at ${offset}`).toBe('content');
      }
    }
  });

  it('outlives the loss, or half, of one copy', async () => {
    for (const copy of ['f', 'f.copy']) {
      const cut = await directoryWith('content');
      await truncate(cut, `/data/${copy}`, 7);
      expect(await read(cut)).toBe('content');
      const lost = await directoryWith('content');
      await lost.remove(`/data/${copy}`);
      expect(await read(lost)).toBe('content');
    }
  });

  it('is not taken for absent when both copies are damaged', async () => {
    const vfs = await directoryWith('content');
    vfs.damage('/data/f', 6, 1);
    await truncate(vfs, '/data/f.copy', 3);
    const error = await read(vfs).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NodeError);
    expect(error).toMatchObject({ code: 'STATE_DAMAGED' });
  });

  it('of a newer version is refused', async () => {
    const vfs = await directoryWith('content');
    const bytes = await vfs.readFile('/data/f');
    bytes[4] = 2;
    new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4), true);
    await writeFileAtomically(vfs, '/data', 'f', bytes);
    await expect(read(vfs)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  });

  it('is the old one or the new one after a power cut at any moment', async () => {
    const random = new SeededRandom(5);
    for (let crashAt = 1; ; crashAt++) {
      const vfs = await directoryWith('old');
      let operations = 0;
      let after: CrashableMemVfs | undefined;
      vfs.onOperation = () => {
        operations += 1;
        if (operations === crashAt) after = vfs.crashClone({ random: () => random.fraction() });
      };
      await writeStateFile(vfs, '/data', 'f', utf8('new'));
      if (after === undefined) break;
      expect(['old', 'new'], `at operation ${crashAt}`).toContain(await read(after));
      await writeStateFile(after, '/data', 'f', utf8('newer'));
      expect(await read(after)).toBe('newer');
    }
  });
});
