import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import type { FakeStore } from './fake-store.ts';
import { runCommand } from './run-command.ts';

const FIRST_MS = Date.UTC(2026, 0, 1);

/** `dss batch`, `dss export` and `dss import` against nodes in memory. */
describe('dss', () => {
  let node: FakeNode;
  let copy: FakeNode;
  let directory: string;
  beforeEach(async () => {
    [node, copy] = [await startFakeNode(), await startFakeNode()];
    directory = await mkdtemp(join(tmpdir(), 'dss-transfer-'));
  });
  afterEach(async () => {
    await node.close();
    await copy.close();
    await rm(directory, { recursive: true, force: true });
  });

  const file = (name: string) => join(directory, name);
  const run = (...args: string[]) => runCommand([...args, '--node', node.url]);
  const runAtCopy = (...args: string[]) => runCommand([...args, '--node', copy.url]);

  /** Everything but versions, which every cluster gives itself. */
  const contents = ({ history }: FakeStore) =>
    new Map(
      [...history].map(([key, items]) => [
        key,
        items.map(({ time, value, expiresAt }) => [time, value.toString('base64'), expiresAt]),
      ]),
    );

  describe('batch', () => {
    it('stores lines, with times, deletes and a prefix', async () => {
      node.values.set('p/gone', Buffer.from('v'));
      const lines = [
        { key: 'a', value: 'text', time: FIRST_MS },
        { key: 'b', value: { n: 1 }, time: '2026-01-01T00:00:01Z', ttl: 60 },
        { key: 'c', base64: '/wA=' },
        { key: 'gone', delete: true },
      ];
      const input = `${lines.map((line) => JSON.stringify(line)).join('\n\n')}\r\n`;
      const args = ['batch', '--prefix', 'p', '--node', node.url];
      const { code, stdout } = await runCommand(args, input);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'stored 4 values in 1 message\n' });
      expect(node.batches).toEqual([{ topic: 'dss/batch/p', count: 4 }]);
      expect([...node.values]).toEqual([
        ['p/a', Buffer.from('text')],
        ['p/b', Buffer.from('{"n":1}')],
        ['p/c', Buffer.from([0xff, 0])],
      ]);
      expect(node.store.history.get('p/b')).toMatchObject([{ time: FIRST_MS + 1000 }]);
    });

    it('takes an array, from a file too', async () => {
      await writeFile(file('a.json'), ' \n[{"key":"a","value":1},\n{"key":"b","value":"x"}]');
      expect(await run('batch', file('a.json'), '--json')).toMatchObject({ code: 0 });
      expect([...node.values.keys()]).toEqual(['a', 'b']);
    });

    it('sends messages of bounded size, one after the other', async () => {
      const small = Array.from({ length: 1_200 }, (_, i) => ({ key: `k${i}`, value: i }));
      const large = [1, 2, 3].map((i) => ({ key: `l${i}`, value: 'x'.repeat(100_000) }));
      const input = [...small, ...large].map((line) => JSON.stringify(line)).join('\n');
      const { stdout } = await runCommand(['batch', '--json', '--node', node.url], input);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true, writes: 1_203, messages: 4 });
      expect(node.batches.map(({ count }) => count)).toEqual([500, 500, 202, 1]);
    });

    it('goes on at another connection when one is lost', async () => {
      node.dropNext = 1;
      const args = ['batch', '--node', node.url];
      expect(await runCommand(args, '{"key":"a","value":1}')).toMatchObject({ code: 0 });
      expect(node.batches).toHaveLength(2);
    });

    it('says where a refused message was, and what is stored', async () => {
      const lines = Array.from({ length: 502 }, (_, i) => ({ key: `k${i}`, value: i }));
      lines.push({ key: 'forbidden', value: 1 });
      const input = lines.map((line) => JSON.stringify(line)).join('\n');
      const { code, stderr } = await runCommand(['batch', '--json', '--node', node.url], input);
      expect(code).toBe(1);
      const { error, message, stored } = JSON.parse(stderr);
      expect({ error, stored }).toEqual({ error: 'INVALID_REQUEST', stored: 500 });
      expect(message).toBe('line 501 to line 503: element 2: a key of this kind is refused');
      expect(node.values.size).toBe(500);
    });

    it.each([
      ['{"key":"a","value":1}\nnonsense', /^line 2 is not JSON/],
      ['{"value":1}', /^line 1 has no "key"/],
      ['[{"key":"a"', /^the input begins as a JSON array, but/],
      ['[1]', /^element 0 has no "key"/],
    ])('says what is wrong with its input: %s', async (input, sentence) => {
      const { code, stderr } = await runCommand(['batch', '--json', '--node', node.url], input);
      expect(code).toBe(1);
      const { error, message } = JSON.parse(stderr);
      expect(error).toBe('MALFORMED_INPUT');
      expect(message).toMatch(sentence);
    });

    it('says so when there is no such file', async () => {
      const { code, stderr } = await run('batch', file('none'), '--json');
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ error: 'FILE' });
    });
  });

  describe('export and import', () => {
    const values: [string, Buffer][] = [
      ['/räume//küche 1/$x/', Buffer.from('"quoted", with a comma')],
      ['binary', Buffer.from([0xff, 0x00, 0x0a])],
      ['json', Buffer.from('{"a":[1,2],"b":null}')],
      ['lines', Buffer.from('two\nlines\r\n')],
      ['number', Buffer.from('007')],
      ['space', Buffer.from('  around  ')],
      ['bom', Buffer.from('\ufeffmark')],
    ];

    /** Three values of each key, and then keys that are deleted or expire. */
    function fill(): void {
      let time = FIRST_MS;
      for (let round = 0; round < 3; round += 1) {
        for (const [key, value] of values) {
          time += 1;
          node.store.write({ key, value: Buffer.concat([value, Buffer.from([round])]), time });
        }
      }
      node.store.write({ key: 'json', value: Buffer.alloc(0), time: time + 1 });
      node.store.write({ key: 'json', value: Buffer.from('again'), time: time + 2 });
    }

    it.each(['ndjson', 'csv'])('gives everything back as it was: %s', async (format) => {
      fill();
      const path = file(`all.${format}`);
      const exported = await run('export', '--history', '--out', path, '--json');
      expect(JSON.parse(exported.stdout)).toMatchObject({ ok: true, values: 23 });
      const imported = await runAtCopy('import', path, '--json');
      expect(JSON.parse(imported.stdout)).toMatchObject({ ok: true, writes: 23, bare: 0 });
      expect(contents(copy.store)).toEqual(contents(node.store));
      expect(copy.values).toEqual(node.values);
      expect(await runAtCopy('import', path)).toMatchObject({ code: 0 });
      expect(contents(copy.store)).toEqual(contents(node.store));
    });

    it.each(['ndjson', 'csv'])('exports current values of a prefix: %s', async (format) => {
      fill();
      node.store.write({ key: 'p/1', value: Buffer.from('v'), time: FIRST_MS + 5 });
      const path = file(`some.${format}`);
      await run('export', 'p', '--out', path);
      const text = await readFile(path, 'utf8');
      const version = node.store.current('p/1')?.version;
      expect(text).toBe(
        format === 'csv'
          ? `key,time,version,value,base64,expiresAt\np/1,${FIRST_MS + 5},${version},v,,\n`
          : `${JSON.stringify({ key: 'p/1', time: FIRST_MS + 5, version, value: 'v' })}\n`,
      );
      await runAtCopy('import', path, '--prefix', 'restored');
      expect([...copy.values]).toEqual([['restored/p/1', Buffer.from('v')]]);
    });

    it('takes a time of expiry along, also one that has passed', async () => {
      for (const key of ['later', 'passed']) {
        node.store.write({ key, value: Buffer.from('v'), time: FIRST_MS, ttl: 100 });
      }
      const { stdout } = await run('export');
      const inPast = stdout.replace(/(passed.*"expiresAt":)\d+/, `$1${FIRST_MS}`);
      const imported = await runCommand(['import', '-', '--node', copy.url], inPast);
      expect(imported).toMatchObject({ code: 0 });
      const leftMs = (key: string) => (copy.store.current(key)?.expiresAt ?? 0) - Date.now();
      expect(leftMs('later')).toBeGreaterThan(90_000);
      expect(leftMs('later')).toBeLessThanOrEqual(100_000);
      expect(leftMs('passed')).toBeLessThanOrEqual(1);
    });

    it('keeps data and the summary apart when it writes to standard output', async () => {
      node.store.write({ key: 'k', value: Buffer.from('v'), time: FIRST_MS });
      const { stdout, stderr } = await run('export', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ key: 'k', value: 'v' });
      expect(JSON.parse(stderr)).toMatchObject({ ok: true, values: 1 });
      expect((await run('export')).stderr).toMatch(/^exported 1 value in [\d.]+ s \(/);
    });

    it('exports more than a page, and many histories, in order', async () => {
      for (let i = 0; i < 1_100; i += 1) {
        const key = `k/${String(i).padStart(4, '0')}`;
        node.store.write({ key, value: Buffer.from('v'), time: FIRST_MS + i });
      }
      for (let i = 0; i < 1_100; i += 1) {
        node.store.write({ key: 'k/0000', value: Buffer.from('v'), time: FIRST_MS + 5_000 + i });
      }
      const { stdout } = await run('export', 'k');
      expect(stdout.trim().split('\n')).toHaveLength(1_100);
      await run('export', 'k', '--history', '--out', file('h'));
      const lines = (await readFile(file('h'), 'utf8')).trim().split('\n');
      const read = lines.map((line) => JSON.parse(line) as { key: string; time: number });
      expect(read).toHaveLength(2_200);
      const sorted = read.toSorted((a, b) => a.key.localeCompare(b.key) || a.time - b.time);
      expect(read).toEqual(sorted);
    });

    it.each([
      ['ndjson', []],
      ['csv', []],
      ['ndjson', ['--history']],
      ['csv', ['--history']],
    ])(
      'resumes behind the last complete line, wherever it was cut: %s %s',
      async (format, flags) => {
        fill();
        const path = file(`cut.${format}`);
        const args = ['export', ...flags, '--out', path];
        await run(...args);
        const whole = await readFile(path);
        const step = Math.ceil(whole.length / 12);
        for (let length = 0; length <= whole.length; length += step) {
          await writeFile(path, whole);
          await truncate(path, length);
          expect(await run(...args, '--resume'), `cut at ${length}`).toMatchObject({ code: 0 });
          expect(await readFile(path, 'utf8'), `cut at ${length}`).toBe(whole.toString('utf8'));
        }
      },
    );

    it('resumes within a history when its last value is gone, and within a millisecond', async () => {
      const at = (time: number, value: string) =>
        node.store.write({ key: 'k', value: Buffer.from(value), time });
      at(FIRST_MS, 'a');
      at(FIRST_MS + 1, 'b');
      const args = ['export', '--history', '--out', file('h')];
      await run(...args);
      at(FIRST_MS + 1, 'instead of b');
      at(FIRST_MS + 2, 'c');
      await run(...args, '--resume');
      const lines = (await readFile(file('h'), 'utf8')).trim().split('\n');
      const exported = lines.map((line) => JSON.parse(line).value);
      expect(exported).toEqual(['a', 'b', 'instead of b', 'c']);
    });

    it('leaves a file that is there alone', async () => {
      await writeFile(file('a.ndjson'), 'mine');
      const refused = await run('export', '--out', file('a.ndjson'));
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.stderr).toMatch(/--resume, or give --overwrite/);
      expect(await run('export', '--out', file('a.ndjson'), '--overwrite')).toMatchObject({
        code: 0,
      });
      await writeFile(file('b.ndjson'), 'mine\n');
      const strange = await run('export', '--out', file('b.ndjson'), '--resume', '--json');
      expect(JSON.parse(strange.stderr)).toMatchObject({ error: 'MALFORMED_INPUT' });
      expect(await readFile(file('b.ndjson'), 'utf8')).toBe('mine\n');
    });

    it.each([
      ['a time without --history', ['export', '--from', '-1h']],
      ['--resume without a file', ['export', '--resume']],
      ['--resume and --overwrite', ['export', '--out', 'x', '--resume', '--overwrite']],
      ['an unknown format', ['export', '--format', 'xml']],
      ['a wildcard in a prefix', ['export', 'a/#']],
      ['no file', ['import']],
    ])('calls it a wrong command line: %s', async (_what, args) => {
      expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
    });
  });

  describe('import', () => {
    const readings = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        key: `k${i}`,
        time: FIRST_MS + i,
        value: `${i}`,
      }));
    const asCsv = (count: number) =>
      ['time,value,key', ...readings(count).map((r) => `${r.time},${r.value},${r.key}`)].join('\n');
    const asNdjson = (count: number) =>
      readings(count)
        .map((r) => JSON.stringify(r))
        .join('\n');

    it.each([
      ['ndjson', asNdjson],
      ['csv', asCsv],
    ])('goes on where it was broken off: %s', async (format, write) => {
      const path = file(`r.${format}`);
      const text = write(1_200).replace('k700', 'forbidden');
      await writeFile(path, text);
      const broken = await run('import', path, '--json');
      expect(broken.code).toBe(1);
      expect(JSON.parse(broken.stderr)).toMatchObject({ error: 'INVALID_REQUEST', stored: 500 });
      const progress = JSON.parse(await readFile(`${path}.dss-progress`, 'utf8'));
      const { size, mtimeMs } = await stat(path);
      expect(progress).toMatchObject({ sizeBytes: size, modifiedMs: mtimeMs });
      node.batches.length = 0;
      const goneOn = await run('import', path);
      expect(goneOn.stderr).toMatch(/^Going on behind line 50[01] of/);
      expect(goneOn.stderr).toContain(`line ${format === 'csv' ? 502 : 501} to line`);
      expect(node.batches).toHaveLength(1);
      await run('import', path, '--restart');
      expect(node.batches).toHaveLength(3);
      // What is remembered is of a file that was another one.
      await writeFile(`${path}.dss-progress`, JSON.stringify({ ...progress, modifiedMs: 0 }));
      await run('import', path);
      expect(node.batches).toHaveLength(5);
    });

    it.each([
      ['ndjson', asNdjson],
      ['csv', asCsv],
    ])(
      'stores what is missing, once it goes on, and forgets how far it was: %s',
      async (format, write) => {
        const path = file(`r.${format}`);
        await writeFile(path, write(1_200));
        node.batchesMax = 2;
        expect(await run('import', path, '--timeout', '0.3')).toMatchObject({ code: 4 });
        node.batchesMax = Number.POSITIVE_INFINITY;
        expect(await run('import', path)).toMatchObject({ code: 0 });
        expect(node.batches.map(({ count }) => count)).toEqual([500, 500, 200]);
        expect(node.values.size).toBe(1_200);
        await expect(stat(`${path}.dss-progress`)).rejects.toThrow(/ENOENT/);
      },
    );

    it('takes a spreadsheet: columns in any order, a byte order mark, and only a key needed', async () => {
      const text = '\ufeffnote,value,key\r\nx,"say ""hi""",a\r\ny,,b\r\n';
      await writeFile(file('s.csv'), text);
      node.values.set('b', Buffer.from('v'));
      expect(await run('import', file('s.csv'))).toMatchObject({ code: 0 });
      expect([...node.values]).toEqual([['a', Buffer.from('say "hi"')]]);
    });

    it('sends values that fill a message alone, and keeps their time if it fits', async () => {
      const small = { key: 'small', value: 'x', time: FIRST_MS };
      const sizes = { quoted: [600_000, '"'], bytes: [1_000_000, 'ä'], huge: [1_048_570, '"'] };
      const large = Object.entries(sizes).map(([key, [bytes, character]]) => {
        const value = Buffer.alloc(bytes as number, character as string).toString();
        return { key, value, time: FIRST_MS };
      });
      const lines = [small, ...large].map((line) => JSON.stringify(line)).join('\n');
      await writeFile(file('l.ndjson'), lines);
      const { stdout } = await run('import', file('l.ndjson'), '--json');
      expect(JSON.parse(stdout)).toMatchObject({ writes: 4, messages: 4, bare: 1 });
      for (const { key, value, time } of [small, ...large]) {
        expect(node.values.get(key)?.equals(Buffer.from(value)), key).toBe(true);
        const [item] = node.store.history.get(key) ?? [];
        expect(item?.time === time, key).toBe(key !== 'huge');
      }
    });

    it.each([
      ['ndjson', '{"key":"a","value":1}\n{"key":"b"', /^line 2 is not JSON/],
      ['csv', 'name,value\na,1', /one of them must be "key"/],
      ['csv', 'key,value,base64\na,1,AA==', /^line 2 has a value and base64 too/],
      ['csv', 'key,value\na,1\n,2', /^line 3 has no key/],
      ['csv', 'key,value\na,"1', /quote/i],
    ])('says what is wrong with its input: %s %s', async (format, input, sentence) => {
      const args = ['import', '-', '--format', format, '--json', '--node', node.url];
      const { code, stderr } = await runCommand(args, input);
      expect(code).toBe(1);
      const { error, message } = JSON.parse(stderr);
      expect(error).toBe('MALFORMED_INPUT');
      expect(message).toMatch(sentence);
    });

    it('says so when there is no such file', async () => {
      const { code, stderr } = await run('import', file('none'), '--json');
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ error: 'FILE' });
    });
  });
});
