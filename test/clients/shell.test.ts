import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { escapeWord, splitWords } from '../../clients/cli/interactive/words.ts';
import { runCommandLine } from '../../clients/cli/program.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

describe('dss shell', () => {
  let node: FakeNode;
  let connects: number;
  beforeEach(async () => {
    node = await startFakeNode({ nodes: [], cluster: { state: 'ok' } });
    connects = 0;
    node.onConnect = () => {
      connects += 1;
    };
  });
  afterEach(() => node.close());

  describe('with lines from elsewhere', () => {
    const script = (text: string, ...flags: string[]) =>
      runCommand(['shell', ...flags, '--node', node.url, '--http', node.http], text);

    it('runs each, over one connection, without a prompt', async () => {
      const lines = [
        '# a comment, and an empty line',
        '',
        'put \'a key\' "two words"',
        'put b 2',
        'get a\\ key',
        'list',
        'where b',
        'delete b',
        'list --json',
      ];
      const { code, stdout, stderr } = await script(lines.join('\n'));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toBe(
        [
          ...['stored a key', 'stored b', 'two words', 'a key', 'b'],
          ...['key       b', 'shard     2', 'leader    n1', 'replicas  n1', 'deleted b'],
          '{"ok":true,"prefix":"","keys":["a key"],"more":false,"next":null}\n',
        ].join('\n'),
      );
      expect(connects).toBe(1);
    });

    it('goes on after an error and ends with the exit code of the last one', async () => {
      const lines = ['get none', 'nonsense', "put 'a 1", 'put a 1', 'get a'];
      const { code, stdout, stderr } = await script(lines.join('\n'));
      expect(stdout).toBe('stored a\n1\n');
      expect(stderr.split('\n')).toEqual([
        "dss: there is no value for 'none'",
        expect.stringContaining("unknown command 'nonsense'"),
        "dss: the line has a ' that nothing closes",
        '',
      ]);
      expect(code).toBe(2);
      expect((await script('get none\nput a 1')).code).toBe(3);
      const elsewhere = await script('up --demo\nshell');
      expect(elsewhere.stderr).toMatch(/^dss: run 'dss up' outside of this prompt\n/);
    });

    it('stops at quit, and gives help', async () => {
      const { code, stdout } = await script('help\nhelp put\nquit\nput a 1');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^history +print what a key has held, newest first; /m);
      expect(stdout.match(/^help/gm)).toHaveLength(1);
      expect(stdout).toContain('Usage: dss put [options] <key> [value]');
      expect(node.values.size).toBe(0);
    });

    it('gives the options that it was started with to every line', async () => {
      const { stdout } = await script('put a 1\nget a', '--json');
      const [put, get] = stdout.trim().split('\n');
      expect(JSON.parse(put ?? '')).toMatchObject({ ok: true, key: 'a' });
      expect(JSON.parse(get ?? '')).toMatchObject({ value: '1' });
      const other = await startFakeNode();
      other.values.set('a', Buffer.from('of the other'));
      expect((await script(`get a\nget a --node ${other.url}\nget a`)).stdout).toBe(
        '1\nof the other\n1\n',
      );
      await other.close();
    });

    it('does not take a refusal for that of what comes later', async () => {
      const { code, stderr } = await script('put forbidden 1\nput allowed 1\nget allowed');
      expect(stderr).toBe('dss: a key of this kind is refused\n');
      expect(code).toBe(1);
    });

    it('watches until it has seen enough', async () => {
      const { stdout } = await script("put a 1\nwatch '#' --count 1\nget a");
      expect(stdout).toBe('stored a\na 1\n1\n');
    });
  });

  describe('at a terminal', () => {
    interface Terminal {
      readonly input: PassThrough;
      readonly exitCode: Promise<number>;
      /** Resolves when what was printed since the last time holds `text`; gives all of that. */
      until(text: string): Promise<string>;
    }

    function open(): Terminal {
      const tty = () => Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
      const [input, stdout, stderr] = [tty(), tty(), new PassThrough()];
      let printed = '';
      for (const stream of [stdout, stderr]) {
        stream.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
        });
      }
      const args = ['shell', '--node', node.url, '--http', node.http];
      const exitCode = runCommandLine(args, { stdin: input, stdout, stderr });
      const until = async (text: string): Promise<string> => {
        await expect.poll(() => printed).toContain(text);
        const taken = printed;
        printed = '';
        return taken;
      };
      return { input, exitCode, until };
    }

    it('prompts, runs, reports errors and leaves', async () => {
      const { input, exitCode, until } = open();
      await until('dss> ');
      input.write('put a 21.5\r');
      await until('stored a\n');
      input.write('get none\r');
      await until("dss: there is no value for 'none'");
      input.write('quit\r');
      expect(await exitCode).toBe(0);
      expect(connects).toBe(1);
    });

    it.each([
      ['Enter', '\r'],
      ['Ctrl-C', '\u0003'],
    ])('ends a watch with %s, and goes on', async (_what, key) => {
      const { input, exitCode, until } = open();
      input.write('put a 1\r');
      await until('stored a\n');
      input.write("watch '#'\r");
      await until('a 1\n');
      input.write(key);
      await until('dss> ');
      input.write('get a\r');
      await until('\n1\n');
      input.write('\u0004');
      expect(await exitCode).toBe(0);
    });

    it('clears the line with Ctrl-C, and leaves with Ctrl-D', async () => {
      const { input, exitCode, until } = open();
      await until('dss> ');
      input.write('put a 1\u0003');
      input.write('put b 1\r');
      await until('stored b');
      expect([...node.values.keys()]).toEqual(['b']);
      input.write('\u0004');
      expect(await exitCode).toBe(0);
    });

    it('completes commands, and keys level by level', async () => {
      for (const key of ['p 1/line1/a', 'p 1/line1/b', 'p 1/line2/a', 'p 1/line2', 'q']) {
        node.values.set(key, Buffer.from(`of ${key}`));
      }
      for (let i = 0; i < 250; i += 1) node.values.set(`p 1/line1/a${i}`, Buffer.from('v'));
      const { input, exitCode, until } = open();
      await until('dss> ');
      input.write('hist\t');
      await until('history ');
      input.write('p\t');
      await until('p\\ 1/');
      input.write('l\t');
      await until('line');
      input.write('\t');
      const offered = await until('line2/');
      expect(offered).toContain('p\\ 1/line1/');
      input.write('\u0003');
      input.write('get p\\ 1/line2/\t');
      await until('line2/a');
      input.write('\r');
      await until('of p 1/line2/a');
      input.write('\u0004');
      expect(await exitCode).toBe(0);
    });
  });
});

describe('words', () => {
  it.each([
    ['', []],
    ['  a  b\t', ['a', 'b']],
    [`put 'a b' "c \\"d\\" 'e'"`, ['put', 'a b', `c "d" 'e'`]],
    ['a\\ b \\# # x', ['a b', '#', '#', 'x']],
    [`'' ""x`, ['', 'x']],
    [`{"a":1}`, ['{a:1}']],
    [`'{"a":1}'`, ['{"a":1}']],
  ])('are split as a shell does: %s', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it('come back from being escaped', () => {
    const word = ` a'b"c\\d\t`;
    expect(splitWords(`x ${escapeWord(word)} y`)).toEqual(['x', word, 'y']);
  });
});
