import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// The suite that every abstract-level database has to pass, on real files, for ours as it is shipped and for
// classic-level, whose place it is to take.

const root = join(import.meta.dirname, '../../..');
const dist = process.env.DSS_DIST ?? join(root, 'dist');
const isBuilt = existsSync(join(dist, 'lsm/level/level.js'));
if (!isBuilt) console.warn(`The suite is NOT run: ${dist} is missing or old, run npm run build`);

interface Outcome {
  readonly passed: number;
  readonly failures: string[];
}

function runSuite(module: string, name: string): Promise<Outcome> {
  const runner = join(import.meta.dirname, 'run-suite.js');
  const child = spawn(process.execPath, [runner, module, name], { cwd: root });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const lines = output.split('\n');
      const failures = lines.flatMap((line, at) =>
        line.startsWith('not ok') ? [lines.slice(at, at + 12).join('\n')] : [],
      );
      if (code !== 0 && failures.length === 0)
        failures.push(`exit code ${code}:\n${output.slice(-2000)}`);
      resolve({ passed: lines.filter((line) => line.startsWith('ok ')).length, failures });
    });
  });
}

describe.skipIf(!isBuilt)("abstract-level's suite", () => {
  it('passes on ours, assertion for assertion as on classic-level', async () => {
    const [ours, theirs] = await Promise.all([
      runSuite(join(dist, 'lsm/index.js'), 'DssLevel'),
      runSuite('classic-level', 'ClassicLevel'),
    ]);
    expect(theirs.failures).toEqual([]);
    expect(ours.failures).toEqual([]);
    expect(theirs.passed).toBeGreaterThan(1000);
    expect(ours.passed).toBe(theirs.passed);
  });
});
