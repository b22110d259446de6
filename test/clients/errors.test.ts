import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readErrorTable } from '../../clients/cli/error-table.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

describe('dss errors', () => {
  it('reads every row of docs/ERRORS.md', () => {
    const markdown = readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8');
    const [table = ''] = markdown.split('\n## MQTT 5');
    const inDocument = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    const rows = readErrorTable();
    expect(rows.map(({ code }) => code)).toEqual(inDocument);
    for (const { code, topic, columns } of rows) {
      expect(columns.get('meaning'), code).toMatch(/\w/);
      expect(columns.get('exit'), code).toMatch(/^(\d|–)/);
      expect(topic, code).not.toBe('');
    }
  });

  it('takes marks off, and puts footnotes where they belong', () => {
    const markdown = [
      '| other | table |\n|---|---|\n| `NOT_A_CODE` | x |\n',
      '| code | meaning | exit |\n|---|---|---|',
      '| **a [topic](x.md)** | | |',
      '| `ONE` | `a` \\| b ² | 1 ¹ |\n| `TWO` | c | – |\n',
      '¹ of `ONE`\n² is more',
    ].join('\n');
    const [one, two, ...others] = readErrorTable(markdown);
    expect(others).toEqual([]);
    expect(one).toEqual({
      code: 'ONE',
      topic: 'a topic',
      columns: new Map([
        ['meaning', 'a | b'],
        ['exit', '1'],
      ]),
      notes: ['is more', 'of ONE'],
    });
    expect(two?.notes).toEqual([]);
  });

  it('prints all codes, or one in full', async () => {
    const all = await runCommand(['errors']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(all.stdout).toMatch(/^CODE +EXIT +MEANING\n/);
    expect(all.stdout).toMatch(/^NOT_FOUND +3 +the key has no value/m);
    const one = await runCommand(['errors', 'unavailable']);
    expect(one.stdout).toMatch(/^UNAVAILABLE \(.+\)\n {2}meaning +no quorum/);
    const json = await runCommand(['errors', 'USAGE', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'USAGE', exit: '2' });
    expect(await runCommand(['errors', 'NO_SUCH_CODE'])).toMatchObject({ code: 2 });
    expect(await runCommand(['errors', 'USAGE', '--recent'])).toMatchObject({ code: 2 });
  });

  describe('--recent', () => {
    let nodes: FakeNode[];
    beforeEach(async () => {
      nodes = [await startFakeNode(), await startFakeNode(), await startFakeNode()];
      for (const node of nodes) node.publishSystem('cluster', { state: 'ok' });
    });
    afterEach(async () => {
      for (const node of nodes) await node.close();
    });

    const refusal = (time: number, topic: string) => ({
      ...{ time, topic, code: 'UNKNOWN_VERB', message: 'there is no such verb' },
      ...{ client: 'esp32', address: '10.0.0.7:4711' },
    });

    it('gathers what each node has refused, and goes without one that is down', async () => {
      nodes[0]?.publishSystem('refused/n1', [refusal(3_000, 'dss/c'), refusal(1_000, 'dss/a')]);
      nodes[1]?.publishSystem('refused/n2', [refusal(2_000, 'dss/b')]);
      const at = [...nodes.map(({ url }) => url), 'mqtt://127.0.0.1:1'].join(',');
      const { code, stdout, stderr } = await runCommand(['errors', '--recent', '--node', at]);
      expect(code).toBe(0);
      const lines = stdout.trim().split('\n');
      expect(lines[0]).toMatch(/^TIME +NODE +CLIENT +CODE +TOPIC +MESSAGE$/);
      expect(lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
        ['1970-01-01T00:00:01.000Z', 'n1', 'esp32', 'UNKNOWN_VERB', 'dss/a'],
        ['1970-01-01T00:00:02.000Z', 'n2', 'esp32', 'UNKNOWN_VERB', 'dss/b'],
        ['1970-01-01T00:00:03.000Z', 'n1', 'esp32', 'UNKNOWN_VERB', 'dss/c'],
      ]);
      expect(stderr).toMatch(/^Not asked: cannot reach mqtt:\/\/127\.0\.0\.1:1/);
    });

    it('says so when there is nothing, and fails when nobody answers', async () => {
      const quiet = await runCommand(['errors', '--recent', '--node', nodes[2]?.url ?? '']);
      expect(quiet).toEqual({ code: 0, stdout: '', stderr: 'Nothing was refused.\n' });
      const [command, password] = [
        ['errors', '--recent'],
        ['--user', 'dev', '--password', 'x'],
      ];
      const told = await runCommand([...command, '--node', nodes[2]?.url ?? '', ...password]);
      expect(told.stderr).toContain('only who may read everything is');
      const nobody = await runCommand(['errors', '--recent', '--node', 'mqtt://127.0.0.1:1']);
      expect(nobody).toMatchObject({ code: 4, stdout: '' });
    });
  });
});
