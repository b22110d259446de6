// Runs the suite that abstract-level exports for its implementations, in a process of its own:
// node run-suite.js <module> <class>. Prints TAP.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import suite from 'abstract-level/test/index.js';
import test from 'tape';

const [module, name] = process.argv.slice(2);
const { [name]: Level } = await import(module);
const root = mkdtempSync(join(tmpdir(), 'dss-level-suite-'));
process.on('exit', () => rmSync(root, { recursive: true }));

let count = 0;
suite({
  test,
  factory: (options) => new Level(join(root, `${count++}`), options),
});
