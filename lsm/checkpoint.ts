import { LsmError } from './errors.ts';
import { tableFileName } from './sstable/format.ts';
import { manifestFileName } from './version/manifest-format.ts';
import { ManifestWriter } from './version/manifest-writer.ts';
import type { EngineState } from './version/version-edit.ts';
import type { Vfs } from './vfs/vfs.ts';

/**
 * Makes a second directory that holds `state`: its tables as hard links, as copies where the file system has none, and
 * a manifest of its own. Everything is durable when this resolves. The version must be held meanwhile. Fails with
 * STORE_EXISTS, and changes nothing, when there is something in `target`.
 */
export async function checkpointVersion(
  vfs: Vfs,
  directory: string,
  target: string,
  state: EngineState,
): Promise<void> {
  await mustBeFree(vfs, target);
  await vfs.makeDirectory(target);
  const made: string[] = [];
  try {
    for (const { fileNumber, damaged } of state.version.tables()) {
      // What was quarantined is known to be missing there, too.
      if (damaged) continue;
      const name = tableFileName(fileNumber);
      made.push(`${target}/${name}`);
      await linkOrCopy(vfs, `${directory}/${name}`, `${target}/${name}`);
    }
    // Last: without it the directory is no engine yet.
    await vfs.syncDirectory(target);
    made.push(`${target}/${manifestFileName(1)}`);
    const manifest = await ManifestWriter.create(vfs, target, 1, state);
    await manifest.close();
  } catch (error) {
    for (const path of made) await vfs.remove(path).catch(() => {});
    throw error;
  }
}

async function mustBeFree(vfs: Vfs, target: string): Promise<void> {
  if (!(await vfs.exists(target))) return;
  if ((await vfs.list(target)).length === 0) return;
  throw new LsmError('STORE_EXISTS', `there is something in ${target} already`);
}

async function linkOrCopy(vfs: Vfs, from: string, to: string): Promise<void> {
  try {
    await vfs.link(from, to);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EXDEV' && code !== 'EPERM') throw error;
    await copy(vfs, from, to);
  }
}

async function copy(vfs: Vfs, from: string, to: string): Promise<void> {
  const source = await vfs.open(from, 'read');
  try {
    const target = await vfs.open(to, 'create');
    try {
      for (let at = 0; ; at += COPY_BYTES) {
        const bytes = await source.read(at, COPY_BYTES);
        if (bytes.length > 0) await target.write(at, bytes);
        if (bytes.length < COPY_BYTES) break;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const COPY_BYTES = 1024 * 1024;
