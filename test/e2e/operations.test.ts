import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { readAll } from './support/clients.ts';
import { type Example, examplesOf } from './support/doc-examples.ts';
import { isAsPrinted } from './support/guide.ts';
import {
  dss,
  dssScript,
  type RunningProcess,
  runProcess,
  startProcess,
} from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const examples = (document: string): Example[] =>
  examplesOf(readFileSync(new URL(`../../docs/${document}`, import.meta.url), 'utf8'));

/** The blocks of both documents that begin with `# example`, as an operator types them, in their order. */
describe('docs/TROUBLESHOOTING.md and docs/OPERATIONS.md', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start({ nodes: 3, shards: 4 });
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const folder = () => dirname(cluster.node(0).dataDir);

  const start = (script: string, environment: Record<string, string> = {}): RunningProcess => {
    const { mqttPort } = cluster.node(0);
    const preamble = [
      `dss() { ${process.execPath} ${dssScript} "$@"; }`,
      `mosquitto_rr() { command mosquitto_rr -W 10 "$@"; }`,
    ];
    const here = script
      .replaceAll('http://127.0.0.1:8080', cluster.node(0).httpUrl)
      .replaceAll(/\b1883\b/g, String(mqttPort));
    const given = {
      DSS_NODE: cluster.addresses,
      DSS_HTTP: cluster.nodes.map(({ httpUrl }) => httpUrl).join(','),
      // What the nodes of the test were given; others keep theirs in their directory.
      DSS_SECRET: 'end-to-end',
      ...environment,
    };
    const args = ['-e', '-c', [...preamble, here].join('\n')];
    return startProcess('bash', args, { environment: given, directory: folder() });
  };

  const type = async ({ script, expected }: Example): Promise<void> => {
    const run = start(script);
    const { code } = await run.exited;
    expect(code, [...run.stdout, ...run.stderr].join('\n')).toBe(0);
    if (expected.length === 0) return;
    expect(isAsPrinted(run.stdout, expected), run.stdout.join('\n')).toBe(true);
  };

  it.each(examples('TROUBLESHOOTING.md'))('shows at line $line what it is about', async (each) => {
    await type(each);
  });

  it('has nodes come and go', async () => {
    const blocks = examples('OPERATIONS.md').filter(({ script }) =>
      /dss (token|node)/.test(script),
    );
    const [join, leave, replace] = blocks as [Example, Example, Example];
    const doors = async () => {
      const [mqtt, http] = (await freePorts(2)) as [number, number];
      return { DSS_MQTT_PORT: String(mqtt), DSS_HTTP_PORT: String(http) };
    };
    const n4 = start(inForeground(join), await doors());
    await n4.line(/^DSS node n4 is ready/);
    await type(leave);
    expect(await n4.exited).toMatchObject({ code: 0 });

    await cluster.kill(2);
    const n3 = start(inForeground(replace), await doors());
    await n3.line(/^DSS node n3 is ready/);
    n3.child.kill('SIGTERM');
    await n3.exited;
    expect(blocks).toHaveLength(3);
  });

  it('writes all values to a file, and reads them from there', async () => {
    const blocks = examples('OPERATIONS.md').filter(({ script }) => /export|import/.test(script));
    for (const block of blocks) await type(block);
    expect(blocks).toHaveLength(2);
  });

  it('goes on from a copy of one directory', async () => {
    const before = await readAll(cluster.node(0), 'plant1');
    expect(before.get('plant1/probe')).toBe('1');
    for (const index of [0, 1]) await cluster.kill(index);
    const { dataDir } = cluster.node(0);
    const backup = `${dataDir}-backup`;
    expect(await runProcess('cp', ['-a', dataDir, backup])).toMatchObject({ code: 0 });
    await rm(dataDir, { recursive: true });
    expect(await runProcess('cp', ['-a', backup, dataDir])).toMatchObject({ code: 0 });
    const text = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    const [, flags = ''] = /dss recover --data \/var\/lib\/dss (--lost \S+)/.exec(text) ?? [];
    const args = ['recover', '--data', dataDir, ...flags.split(' '), '--yes'];
    expect(await dss(args), basename(dataDir)).toMatchObject({ code: 0 });
    const started = cluster.restart(0);
    await started.line(/^DSS node n1 is ready/);
    expect(await readAll(cluster.node(0), 'plant1')).toEqual(before);
  });
});

/** A node that is what the shell becomes: signals reach it. */
function inForeground({ script }: Example): string {
  return script.replace(/\bdss node(?= --name)/, `exec ${process.execPath} ${dssScript} node`);
}
