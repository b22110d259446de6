import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { dssJson } from './support/clients.ts';
import { freeBlocks } from './support/free-blocks.ts';
import {
  dss,
  dssScript,
  type RunningProcess,
  runProcess,
  startProcess,
  temporaryDirectory,
} from './support/processes.ts';

/** `dss up` as a new user has it. Its tests run in order on one data directory. */
describe('dss up', () => {
  let directory: string;
  let ports: string[];
  let [mqttPort, httpPort] = [0, 0];
  let current: RunningProcess | undefined;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    [mqttPort, httpPort] = await freeBlocks();
    ports = ['--mqtt-port', String(mqttPort), '--http-port', String(httpPort)];
  });
  afterAll(async () => {
    current?.child.kill('SIGINT');
    await current?.exited;
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  });

  const up = (...flags: string[]): RunningProcess => {
    const args = [dssScript, 'up', '--data', '.dss', ...flags];
    current = startProcess(process.execPath, args, { directory });
    return current;
  };

  it('starts three nodes, tells what to try, and stops at Ctrl-C', async () => {
    const first = up(...ports);
    await first.line(/^DSS is ready/);
    const subscribe = await first.line(/mosquitto_sub/);
    expect(subscribe).toContain(`mosquitto_sub -p ${mqttPort} -t 'dss/value/#' -v`);
    expect((await stat(join(directory, '.dss/cluster-secret'))).mode & 0o777).toBe(0o600);

    const publish = (await first.line(/mosquitto_pub/)).trim();
    expect(await runProcess('sh', ['-c', publish])).toMatchObject({ code: 0 });
    const seen = await runProcess('sh', ['-c', `${subscribe} -C 1`]);
    expect(seen.stdout).toBe('dss/value/plant1/line3/dev42/temp 21.5');

    const second = await dss(['up', '--data', '.dss'], { directory });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^dss: .*\.dss is used by a 'dss up' that is running/);

    first.child.kill('SIGINT');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    await expect(fetch(`http://127.0.0.1:${httpPort}/healthz`)).rejects.toThrow();
  });

  it('refuses flags that disagree with what is there, and ports that are taken', async () => {
    const two = await dss(['up', '--data', '.dss', '--nodes', '2'], { directory });
    expect(two).toMatchObject({ code: 1 });
    expect(two.stderr).toMatch(/created with --nodes 3/);
    const listener = startProcess('mosquitto', ['-p', String(mqttPort + 1)]);
    await eventually('the port is taken', async () => {
      const other = await dss(['up', '--data', 'other', ...ports], { directory });
      expect(other.code).toBe(1);
      return other.stderr.includes(`port ${mqttPort + 1} `) ? true : undefined;
    });
    listener.child.kill();
    await listener.exited;
  });

  it('leaves nothing behind when what it is told is refused', async () => {
    const engine = await dss(['up', '--data', 'none', '--storage-engine', 'rocksdb'], {
      directory,
    });
    expect(engine.code).toBe(2);
    expect(engine.stderr).toMatch(/lsm, classic-level/);
    await expect(stat(join(directory, 'none'))).rejects.toThrow(/ENOENT/);
    await writeFile(join(directory, 'wrong.yaml'), 'storage:\n  engine: rocksdb\n');
    const config = await dss(['up', '--data', 'none', '--config', 'wrong.yaml'], { directory });
    expect(config).toMatchObject({ code: 1 });
    expect(config.stderr).toMatch(/did not start: .*must be one of lsm, classic-level/);
    expect(await readdir(join(directory, 'none'))).toEqual([]);
  });

  it('has everything when it is started again, and tells how to start a node that was killed', async () => {
    const again = up('--demo', '--json');
    const ready = JSON.parse(await again.line(/"event":"ready"/)) as {
      nodes: { name: string; processId: number; mqtt: string }[];
      subscribe: string;
    };
    expect(ready.nodes.map(({ name }) => name)).toEqual(['n1', 'n2', 'n3']);
    const node = ['--node', `mqtt://127.0.0.1:${mqttPort}`];
    const kept = await dssJson(['get', 'plant1/line3/dev42/temp', ...node]);
    expect(kept).toMatchObject({ value: '21.5' });
    const demo = await runProcess('sh', ['-c', `${ready.subscribe} -C 5`]);
    expect(demo.stdout).toMatch(/^dss\/value\/demo\/line\d+\/dev\d+\/temp \{"value":/);

    process.kill(ready.nodes[1]?.processId ?? 0, 'SIGKILL');
    const stopped = JSON.parse(await again.line(/"event":"stopped"/)) as { startAgain: string };
    expect(stopped).toMatchObject({ node: 'n2', signal: 'SIGKILL' });
    const [program, ...args] = stopped.startAgain.split(' ') as [string, ...string[]];
    const restarted = startProcess(program, args, { directory });
    await restarted.line(/^DSS node n2 is ready/);
    await eventually('all three are active again', async () => {
      const status = await dssJson(['status', '--http', `http://127.0.0.1:${httpPort}`]);
      return (status.cluster as { state: string }).state === 'ok' ? true : undefined;
    });

    again.child.kill('SIGINT');
    expect(await again.exited).toEqual({ code: 0, signal: null });
    restarted.child.kill('SIGTERM');
    expect(await restarted.exited).toEqual({ code: 0, signal: null });
  });

  it('takes its nodes with it when it is killed', async () => {
    const up3 = up('--json');
    await up3.line(/"event":"ready"/);
    up3.child.kill('SIGKILL');
    await up3.exited;
    await eventually('no node listens any more', async () => {
      const doors = [httpPort, httpPort + 1, httpPort + 2].map((port) =>
        fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined),
      );
      const answers = await Promise.all(doors);
      return answers.every((answer) => answer === undefined) ? true : undefined;
    });
  });
});
