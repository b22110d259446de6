import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../../lsm/vfs/os-lock.ts';

// Two process namespaces on one directory, as two containers have it. The other one runs compiled code.
const dist = process.env.DSS_DIST ?? join(import.meta.dirname, '../../../dist');
const compiled = join(dist, 'lsm/vfs/os-lock.js');
const isBuilt = existsSync(join(dist, 'lsm/vfs/os-lock-socket.js'));
const container = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const isPermitted = spawnSync('unshare', [...container, 'true']).status === 0;
if (!isBuilt) console.warn(`Locks of containers are NOT tested: run npm run build for ${dist}`);
if (!isPermitted) console.warn('Locks of containers are NOT tested: unshare is not permitted here');

describe.skipIf(!isBuilt || !isPermitted)('a directory that two containers have', () => {
  let directory: string;
  let children: ChildProcess[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-lock-'));
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(directory, { recursive: true });
  });

  /** What a process says that locks the directory, in a container of its own; with `holds` it then stays. */
  function lockInside(holds: boolean, flags = container) {
    const script = `import(${JSON.stringify(pathToFileURL(compiled).href)})
      .then(({ lockDirectory }) => lockDirectory(${JSON.stringify(directory)}))
      .then(() => console.log('locked'), ({ code, message }) => console.log(code + ': ' + message));
      if (${holds}) setInterval(() => {}, 1000);`;
    const child = spawn('unshare', [...flags, process.execPath, '-e', script]);
    children.push(child);
    const said = new Promise<string>((resolve) => {
      child.stdout.once('data', (chunk) => resolve(`${chunk}`.trim()));
      child.stderr.once('data', (chunk) => resolve(`complaint: ${chunk}`));
    });
    // The pipe ends when the process inside has, too.
    const ended = new Promise((resolve) => child.once('close', resolve));
    return { child, said, ended };
  }

  it('is not given to the second, until the first is killed, and then at once', async () => {
    const first = lockInside(true);
    expect(await first.said).toBe('locked');
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      message: expect.stringMatching(/in use by process 1 of another container/),
    });
    // Process 1 there, too: a container that is started while the one before lives.
    expect(await lockInside(false).said).toMatch(/^DIRECTORY_IN_USE: .* by process 1 of another/);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = lockInside(true);
    expect(await second.said).toBe('locked');
    expect(await readdir(directory)).toHaveLength(2);
  });

  it.each([
    ['its own /proc', container],
    ['the /proc of the host', container.filter((flag) => flag !== '--mount-proc')],
  ])('is refused to one with %s while the host has it', async (_, flags) => {
    const unlock = await lockDirectory(directory);
    expect(await lockInside(false, flags).said).toMatch(
      new RegExp(`^DIRECTORY_IN_USE: .* by process ${process.pid} of another container`),
    );
    await unlock();
    expect(await lockInside(false, flags).said).toBe('locked');
  });

  it('does not keep a process that has nothing else to do, and is free when it ended without closing', async () => {
    const process = lockInside(false);
    expect(await process.said).toBe('locked');
    await process.ended;
    await (await lockDirectory(directory))();
    expect(await readdir(directory)).toEqual([]);
  });
});
