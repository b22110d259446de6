import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { dssJson, publish } from './support/clients.ts';
import { dss, dssScript, startProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

/** The commands that change settings, store conditionally or move many values, against real nodes. */
describe('the dss command', () => {
  let cluster: TestCluster;
  let directory: string;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-cli-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  printLogsOnFailure(() => cluster);

  const at = () => [
    ...['--node', cluster.addresses],
    ...['--http', cluster.nodes.map(({ httpUrl }) => httpUrl).join(',')],
  ];
  const run = (...args: string[]) => dss([...args, ...at()]);
  const json = (...args: string[]) => dssJson([...args, ...at()]);

  it('takes a lease, keeps it, and gets it back when it expires', async () => {
    const take = (holder: string, condition: string, ttl = '10m') =>
      run('cas', 'lease', holder, '--if', condition, '--ttl', ttl, '--json');
    const { version } = JSON.parse((await take('a', 'none')).stdout);
    const lost = await take('b', 'none');
    expect(lost.code).toBe(5);
    expect(JSON.parse(lost.stderr)).toMatchObject({ error: 'VERSION_MISMATCH', version });
    expect(await take('a', String(version), '2s')).toMatchObject({ code: 0 });
    await eventually('the lease is free', async () =>
      (await take('b', 'none')).code === 0 ? true : undefined,
    );
    expect(await run('get', 'lease')).toMatchObject({ stdout: 'b' });
  });

  it('knows a repetition by its id, at another node too', async () => {
    const once = (node: number) => {
      const args = ['cas', 'once', 'x', '--if', 'none', '--id', 'job 7', '--json'];
      return dssJson([...args, '--node', cluster.node(node).mqttUrl]);
    };
    expect(await once(0)).toEqual(await once(1));
  });

  it('exports what was stored, and imports it elsewhere as it was', async () => {
    const line = '{"key":"temp","value":21.5,"time":"2026-01-01T00:00:00Z"}';
    const input = `${line}\n{"key":"räume/1","base64":"/wA="}\n{"key":"gone","value":"x"}`;
    const args = ['batch', '--prefix', 'old', ...at()];
    expect(await dss(args, { input })).toMatchObject({ code: 0 });
    expect(await run('put', 'old/gone', 'y')).toMatchObject({ code: 0 });
    const path = join(directory, 'old.csv');
    await run('export', 'old', '--history', '--out', path);
    expect(await run('import', path, '--prefix', 'new')).toMatchObject({ code: 0 });
    const history = async (prefix: string) => {
      const { stdout } = await run('export', prefix, '--history');
      return stdout.split('\n').map((text) => {
        const { version: _version, key, ...record } = JSON.parse(text);
        return { ...record, key: key.replace(/^new\//, '') };
      });
    };
    expect(await history('old')).toHaveLength(4);
    expect(await history('new/old')).toEqual(await history('old'));
  });

  it('finishes an import although the busiest node is killed in the middle of it', async () => {
    const count = 20_000;
    const firstMs = Date.UTC(2026, 0, 1);
    const readings = Array.from({ length: count }, (_, i) =>
      JSON.stringify({ key: `many/${i}`, time: firstMs + i, value: `value ${i}` }),
    );
    const path = join(directory, 'many.ndjson');
    await writeFile(path, readings.join('\n'));
    const importing = startProcess(process.execPath, [dssScript, 'import', path, ...at()]);
    const victim = await cluster.busiestLeader();
    await eventually('it has begun', () => readFile(`${path}.dss-progress`));
    await cluster.kill(victim);
    const { code } = await importing.exited;
    cluster.restart(victim);
    await cluster.waitForLeaders();
    expect({ code, stderr: importing.stderr }).toEqual({ code: 0, stderr: [] });
    const exported = await run('export', 'many');
    expect(exported.stdout.split('\n')).toHaveLength(count);
  });

  it('sets rules, which every node then knows', async () => {
    const kept = await json('retention', 'set', 'plant1', '--keep', '30d', '--versions', '100');
    expect(kept.rules).toContainEqual({ prefix: 'plant1', keep: '30d', versions: 100, ttl: null });
    await run('ingest', 'add', 'tele/+/SENSOR', '--name', 'tele', '--value', 'each');
    for (const { httpUrl } of cluster.nodes) {
      const ask = (...args: string[]) => dssJson([...args, '--http', httpUrl]);
      await eventually('it has heard of both', async () => {
        const { rules } = await ask('retention', 'list');
        const trial = await ask('ingest', 'test', 'tele/a/SENSOR', '{"temp":20}');
        if ((rules as unknown[]).length < 2 || trial.rule !== 'tele') return undefined;
        expect(trial.writes).toMatchObject([{ key: 'tele/a/SENSOR/temp', value: '20' }]);
        return true;
      });
    }
    expect(await run('ingest', 'list')).toMatchObject({ code: 0 });
    expect(await run('ingest', 'rm', 'tele')).toMatchObject({ code: 0 });
    expect(await run('retention', 'rm', 'plant1')).toMatchObject({ code: 0 });
    expect(await run('retention', 'rm', 'plant1')).toMatchObject({ code: 3 });
    const bad = await run('retention', 'set', 'plant1', '--keep', 'long', '--json');
    expect(JSON.parse(bad.stderr)).toMatchObject({ error: 'INVALID_RULE' });
  });

  it('shows what any node has refused lately', async () => {
    await publish(cluster.node(1), 'dss/nonsense/x', '1');
    const found = await eventually('the refusal is shown', async () => {
      const { stdout } = await run('errors', '--recent', '--json');
      const refusals = stdout.split('\n').map((line) => JSON.parse(line));
      return refusals.find(({ topic }) => topic === 'dss/nonsense/x');
    });
    expect(found).toMatchObject({ node: 'n2', code: 'UNKNOWN_VERB' });
    const { stdout } = await dss(['errors', found.code]);
    expect(stdout).toContain('there is no `dss/<verb>` of that name'.replaceAll('`', ''));
  });

  it('runs the lines of a script', async () => {
    const input = "put 'a key' 1\nget 'a key'\nget none\nlist 'a key' --json\n";
    const { code, stdout, stderr } = await dss(['shell', ...at()], { input });
    expect(code).toBe(3);
    expect(stdout.split('\n').slice(0, 2)).toEqual(['stored a key', '1']);
    expect(JSON.parse(stdout.split('\n')[2] ?? '')).toMatchObject({ keys: ['a key'] });
    expect(stderr).toBe("dss: there is no value for 'none'");
  });
});
