import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const EXPECTED = '# → ';

interface Example {
  /** The line of the document where it begins. */
  readonly line: number;
  readonly script: string;
  readonly expected: readonly string[];
}

/** The `sh` blocks whose first line is `# example`, in their order. */
function examplesOf(markdown: string): Example[] {
  return [...markdown.matchAll(/^```sh\n# example\n([\s\S]*?)^```$/gm)].map((match) => {
    const script = match[1] ?? '';
    const lines = script.split('\n').filter((line) => line.startsWith(EXPECTED));
    return {
      line: markdown.slice(0, match.index).split('\n').length,
      script,
      expected: lines.map((line) => line.slice(EXPECTED.length)),
    };
  });
}

/** `…` stands for anything. */
function fits(printed: string, expected: string): boolean {
  const literals = expected.split('…').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`).test(printed);
}

/** What was printed, with the expected line in the place of each one that fits it. */
function compared(printed: readonly string[], expected: readonly string[]): string[] {
  return printed.map((line, i) => (fits(line, expected[i] ?? '') ? (expected[i] ?? '') : line));
}

describe('docs/MQTT.md', () => {
  const path = new URL('../../docs/MQTT.md', import.meta.url);
  const examples = examplesOf(readFileSync(path, 'utf8'));
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 1 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  it('has examples for every verb that answers', () => {
    for (const verb of ['get', 'list', 'range', 'history']) {
      expect(examples.map(({ script }) => script).join('\n')).toContain(`-t dss/${verb}/`);
    }
  });

  it.each(examples)('prints at line $line what it says', async ({ script, expected }) => {
    const port = cluster.node(0).mqttPort;
    const atOurPort = [
      `mosquitto_pub() { command mosquitto_pub -p ${port} "$@"; }`,
      `mosquitto_sub() { command mosquitto_sub -p ${port} -W 10 "$@"; }`,
      `mosquitto_rr() { command mosquitto_rr -p ${port} -W 10 "$@"; }`,
      '',
    ].join('\n');
    const run = await runProcess('sh', ['-e', '-c', atOurPort + script]);
    const printed = run.stdout === '' ? [] : run.stdout.split('\n');
    expect(compared(printed, expected), run.stderr).toEqual(expected);
    expect(run.code).toBe(0);
  });

  it('is compared line by line', () => {
    const block = '```sh\n# example\nmosquitto_sub -C 1\n# → a … b\n```\n';
    expect(examplesOf(`# Title\n\n${block}${block}`)).toMatchObject([
      { line: 3, expected: ['a … b'] },
      { line: 8, expected: ['a … b'] },
    ]);
    expect(compared(['a {1.5} b'], ['a … b'])).toEqual(['a … b']);
    expect(compared(['a b', 'c'], ['a … b'])).toEqual(['a b', 'c']);
    expect(fits('{"version":17}', '{"version":1.}')).toBe(false);
  });
});
