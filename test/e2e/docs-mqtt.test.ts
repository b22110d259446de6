import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compared, examplesOf, fits } from './support/doc-examples.ts';
import { runProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

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
