import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine, wholeProgram } from '../../clients/cli/program.ts';
import { Shell } from '../../clients/cli/shell.ts';
import { startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

const streams = {
  ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
};
const program = await wholeProgram(new Shell(streams, false));

function pathsOf(command: Command, before: readonly string[] = []): string[][] {
  return command.commands.flatMap((inner) => {
    const path = [...before, inner.name()];
    return [path, ...pathsOf(inner, path)];
  });
}
const paths = pathsOf(program).filter(([name]) => name !== 'help');

describe('every command', () => {
  it.each(paths.map((path) => [path.join(' '), path] as const))(
    'has help, errors in JSON, and no flag that means something else elsewhere: %s',
    async (_name, path) => {
      const help = await runCommand([...path, '--help']);
      expect(help).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`^Usage: dss ${path.join(' ')}\\b`));
      expect(help.stdout).toMatch(/--json +results and errors as JSON/);
      expect(await runCommand(['help', ...path])).toEqual(help);
      const wrong = await runCommand([...path, '--no-such-option', '--json']);
      expect(wrong).toMatchObject({ code: 2, stdout: '' });
      expect(JSON.parse(wrong.stderr)).toMatchObject({ ok: false, error: 'USAGE' });
    },
  );

  it('has the name in the table by which it is loaded, and is there once', () => {
    const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
    expect(new Set(names).size).toBe(names.length);
    for (const command of program.commands) expect(command.description()).not.toBe('');
  });

  it('is known to help; others are not', async () => {
    expect(await runCommand(['help'])).toMatchObject({ code: 0 });
    expect(await runCommand(['help', 'fetch'])).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining("no command 'fetch'") },
    });
  });
});

describe('colours', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['at a terminal', true, undefined, [], true],
    ['not in a file', undefined, undefined, [], false],
    ['not for who wants none', true, '1', [], false],
    ['not in JSON', true, undefined, ['--json'], false],
  ])('are %s', async (_when, isTTY, noColor, flags, expected) => {
    vi.stubEnv('NO_COLOR', noColor);
    const node = await startFakeNode({
      node: { name: 'n1' },
      cluster: { id: 'c', state: 'ok', durability: {} },
      ...{ nodes: [], shards: [], alerts: [], process: {} },
    });
    try {
      const stdout = Object.assign(new PassThrough(), isTTY ? { isTTY } : {});
      const args = ['status', ...flags, '--http', node.http];
      await runCommandLine(args, { ...streams, stdout });
      expect(String(stdout.read()).includes('\u001b[')).toBe(expected);
    } finally {
      await node.close();
    }
  });
});

describe('dss config show', () => {
  it('is a table of what counts and who said so', async () => {
    const file = join(tmpdir(), `dss-config-${process.pid}.yaml`);
    await writeFile(file, 'zone: hall');
    const args = ['config', 'show', '--config', file, '--secret', 'of the cluster', '--given'];
    const { code, stdout } = await runCommand(args);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['SETTING', 'VALUE', 'ORIGIN', 'GIVEN AS'],
      ['zone', 'hall', 'file', `zone in ${file}`],
      ['secret', '(hidden)', 'flag', '--secret'],
      [''],
    ]);
    const json = JSON.parse((await runCommand([...args, '--json'])).stdout);
    expect(json.settings).toContainEqual({
      ...{ setting: 'zone', value: 'hall', origin: 'file', from: `zone in ${file}` },
    });
  });

  it('fails as a node would', async () => {
    const { code, stderr } = await runCommand(['config', 'show', '--listen', '0.0.0.0']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('--anonymous')]);
  });
});

describe('dss completion', () => {
  it.each([
    ['dss sta', ['status']],
    ['dss config s', ['show']],
    ['dss ls --af', ['--after']],
    ['dss retention set x --k', ['--keep']],
    ['dss status --jso', ['--json']],
  ])('completes %j', async (line, expected) => {
    const { stdout } = await runCommand(['completion', 'bash']);
    const words = line.split(' ');
    const script = `${stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_dss; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(found.trim().split('\n')).toEqual(expected);
  });

  it('is for zsh, too', async () => {
    const { stdout } = await runCommand(['completion', 'zsh']);
    expect(stdout).toMatch(/^autoload .*bashcompinit/);
    expect(await runCommand(['completion', 'tcsh'])).toMatchObject({ code: 2 });
  });
});
