// Run before the tests: installs the Node-RED that the end-to-end tests start, from a lock file of its own, so
// that its 280 packages are no part of ours. Done already with this lock file: nothing happens.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportMissing } from './missing.js';

const folder = join(import.meta.dirname, '../e2e/node-red');
const installed = join(folder, 'node_modules');
// Inside of what it speaks about, and written last: half an installation has none.
const stamp = join(installed, '.installed-from');

const hash = createHash('sha256')
  .update(readFileSync(join(folder, 'package.json')))
  .update(readFileSync(join(folder, 'package-lock.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
  // The optional package is a native bcrypt; without users nobody needs it.
  const args = ['ci', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', args, { cwd: folder, stdio: 'inherit', env: environment() });
    writeFileSync(stamp, hash);
  } catch (error) {
    reportMissing('Node-RED', error.message, `(cd test/e2e/node-red && npm ${args.join(' ')})`);
  }
}

/** Without what the npm that runs this script tells its children: they would install for the wrong project. */
function environment() {
  const ofNpm = /^npm_(package|lifecycle|command|execpath|node_execpath|config_(local_)?prefix)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofNpm.test(name)));
}
