import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filterUse, isTopicFilter, isTopicName, parseOurTopic } from '../../broker/topics.ts';
import { dssJson, type Gathered, gather, publish } from './support/clients.ts';
import { exampleFlows } from './support/node-red.ts';
import { type RunningProcess, startProcess, temporaryDirectory } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const folder = join(import.meta.dirname, '../../docs/devices');
const pages = new Map(
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
);

/** Everything that looks like a topic of ours. A template such as `{{ .Name }}` stands for one level. */
function topicsOf(text: string): string[] {
  const found = text.replace(/\{\{.*?\}\}/g, 'x').match(/(?<![\w/.-])dss\/[^\s"'`,;|)\\]+/g);
  return (found ?? []).map((topic) => topic.replace(/[.:]$/, ''));
}

/** What is wrong with a topic that we tell people to use. */
function objection(topic: string): string | undefined {
  // `dss/put/` is what a bridge puts in front of a topic.
  const bytes = Buffer.from(topic.endsWith('/') ? `${topic}x` : topic);
  const parsed = parseOurTopic(bytes, 0, bytes.length);
  if (parsed.kind === 'unknown') return `there is no dss/${parsed.name}`;
  if (parsed.kind === 'reserved') {
    if (!isTopicFilter(topic)) return 'not a filter';
    return filterUse(topic).refusal === undefined ? undefined : 'nobody can subscribe to that';
  }
  if (!isTopicName(bytes, 0, bytes.length)) return 'nobody can publish to that';
  const mayBeWithout = ['list', 'range', 'batch'].includes(parsed.verb);
  return parsed.restStart === bytes.length && !mayBeWithout ? 'without a key' : undefined;
}

describe('docs/devices', () => {
  it('is complete in its index', () => {
    const index = pages.get('README.md') ?? '';
    const others = [...pages.keys()].filter((name) => name !== 'README.md');
    expect(others.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  });

  it.each([...pages.keys()])('names topics that are there, in %s', (name) => {
    const topics = topicsOf(pages.get(name) ?? '');
    expect(topics.length).toBeGreaterThan(0);
    expect(topics.filter((topic) => objection(topic) !== undefined)).toEqual([]);
  });

  it('names in the flows for Node-RED the topics that are there, and one mistake on purpose', () => {
    const topics = [...exampleFlows('mqtt').values()].flat().flatMap(({ topic }) => topic || []);
    const wrong = topics.filter((topic) => objection(topic as string) !== undefined);
    expect(wrong).toEqual(['dss/puts/plant1/dev42/temp']);
    const shown = topicsOf(pages.get('node-red.md') ?? '');
    expect(
      topics.filter((topic) => topic !== wrong[0] && !shown.includes(topic as string)),
    ).toEqual([]);
  });

  it('would be caught with a wrong topic', () => {
    expect(topicsOf('`dss/puts/x`, "dss/put/a/{{ .Tag "b" }}/c": see /conf.d/dss/x')).toEqual([
      'dss/puts/x',
      'dss/put/a/x/c',
    ]);
    for (const topic of ['dss/puts/x', 'dss/put', 'dss/put/+/x', 'dss/watch/a+', 'dss/cluster/x']) {
      expect(objection(topic), topic).toBeDefined();
    }
  });
});

/** A Python that knows paho-mqtt. Debian's package is for Debian's Python. */
const python = ['python3', '/usr/bin/python3'].find((candidate) => {
  try {
    execFileSync(candidate, ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

describe.skipIf(python === undefined)('devices in Python and MicroPython', () => {
  const programs: RunningProcess[] = [];
  let cluster: TestCluster;
  let directory: string;
  let values: Gathered;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    cluster = await TestCluster.start();
    values = await gather(cluster.node(2), 'dss/value/plant1/#');
  });
  afterAll(async () => {
    for (const { child } of programs) child.kill('SIGKILL');
    await values?.client.endAsync(true);
    await cluster?.close();
    await rm(directory, { recursive: true, force: true });
  });
  printLogsOnFailure(() => cluster);

  /** Starts the n-th example of a page as it stands there, but for the addresses and for being quicker. */
  async function run(page: string, index = 0): Promise<RunningProcess> {
    const blocks = [
      ...(pages.get(page) ?? '').matchAll(/^```python\n# example\n([\s\S]*?)^```$/gm),
    ];
    const example = blocks[index]?.[1] ?? '';
    expect(example).toMatch(/"192\.168\.1\.11", 1883/);
    const ports = cluster.nodes.map(({ mqttPort }) => mqttPort);
    const here = example
      .replace(/"192\.168\.1\.1([123])", 1883/g, (_, n) => `"127.0.0.1", ${ports[n - 1]}`)
      .replace('time.sleep(10)', 'time.sleep(0.02)')
      .replace('reconnect_delay_set(1, 10)', 'reconnect_delay_set(1, 1)');
    const script = join(directory, `${page}.${index}.py`);
    await writeFile(script, `${paho1}${sensor}\n${here}`);
    const environment = {
      PYTHONPATH: join(import.meta.dirname, 'support/micropython'),
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const started = startProcess(python as string, [script], { environment });
    programs.push(started);
    return started;
  }

  // A sensor that counts shows what is missing and what came twice.
  const sensor =
    'import itertools\nsensor = itertools.count(1)\nread_sensor = lambda: next(sensor)';
  // Debian's paho is version 1: what the page says for it, without touching the example.
  const paho1 = [
    'import paho.mqtt.client as paho',
    'if not hasattr(paho, "CallbackAPIVersion"):',
    '    class Client(paho.Client):',
    '        def __init__(self, version, **options): super().__init__(**options)',
    '    paho.CallbackAPIVersion, paho.Client = type("", (), {"VERSION2": 2}), Client',
    '',
  ].join('\n');

  const latest = (key: string) =>
    values.messages.findLast(({ topic }) => topic === `dss/value/${key}`)?.payload;

  it('go on at the next node, lose nothing, store nothing twice, and leave a last will', async () => {
    const devices = ['plant1/dev42', 'plant1/dev43'];
    const started = await Promise.all([run('python.md'), run('micropython.md')]);
    const output = () => started.flatMap(({ stderr }) => stderr).join('\n');
    const untilAll = (what: string, reached: (device: string) => boolean) =>
      values
        .until(what, () => devices.every(reached))
        .catch((error: Error) => expect.fail(`${error.message}\n${output()}`));

    await untilAll('both are there', (device) => latest(`${device}/online`) === '1');
    await untilAll('both store', (device) => Number(latest(`${device}/temp`)) >= 10);

    await cluster.kill(0);
    const before = devices.map((device) => Number(latest(`${device}/temp`)));
    await untilAll(
      'both go on',
      (device) => Number(latest(`${device}/temp`)) >= (before[devices.indexOf(device)] ?? 0) + 100,
    );

    for (const device of devices) {
      const options = ['--order', 'asc', '--limit', '1000', '--node', cluster.node(1).mqttUrl];
      const { items } = await dssJson(['history', `${device}/temp`, ...options]);
      const counts = (items as { value: string }[]).map(({ value }) => Number(value));
      expect(counts, device).toEqual(counts.map((_, i) => i + 1));
    }

    for (const { child } of started) child.kill('SIGKILL');
    await untilAll('both are gone', (device) => latest(`${device}/online`) === '0');
  });

  it('read: current values, then changes', async () => {
    cluster.restart(0);
    await cluster.waitForLeaders();
    await publish(cluster.node(1), 'dss/put/plant1/dev44/temp', '18');
    const reader = await run('python.md', 1);
    await reader.line(/^dss\/value\/plant1\/dev44\/temp 18$/);
    await publish(cluster.node(1), 'dss/put/plant1/dev44/temp', '19');
    await reader.line(/^dss\/value\/plant1\/dev44\/temp 19$/);
  });
});
