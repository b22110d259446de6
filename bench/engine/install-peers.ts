import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs the packages of a folder with a lock file of its own, so that they are no part of ours. Done already
 * with this lock file: nothing happens. Returns why not, when it cannot be done.
 */
export function installPeers(folder: string): string | undefined {
  // Inside of what it speaks about, and written last: half an installation has none.
  const stamp = join(folder, 'node_modules/.installed-from');
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'package.json')))
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return undefined;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 2, 2], env: environment() });
    writeFileSync(stamp, hash);
    return undefined;
  } catch (error) {
    return `npm ${args.join(' ')} in ${folder}: ${(error as Error).message}`;
  }
}

/** Without what the npm that runs the bench tells its children: they would install for the wrong project. */
function environment(): NodeJS.ProcessEnv {
  const ofNpm = /^npm_(package|lifecycle|command|execpath|node_execpath|config_(local_)?prefix)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofNpm.test(name)));
}
