import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../bench/free-ports.ts';
import { type Listener, listenTcp } from '../../broker/server.ts';
import { eventually, HANGS_MS } from '../support/eventually.ts';
import { type Harness, startBroker } from './harness.ts';

const missing = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto', 'mosquitto_rr'].filter(
  (program) => spawnSync(program, ['--help']).error !== undefined,
);
if (missing.length > 0) {
  const message = `SKIPPED: ${missing.join(', ')} not installed (Debian: mosquitto mosquitto-clients)`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

describe.skipIf(missing.length > 0)('Mosquitto clients', () => {
  let harness: Harness;
  let listener: Listener;
  const children = new Set<ChildProcess>();

  beforeEach(async () => {
    harness = await startBroker();
    listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0 });
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await Promise.all([listener.close(), harness.broker.close()]);
  });

  const run = (program: string, ...args: string[]) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const where = ['-h', '127.0.0.1', '-p', String(listener.address.port)];
      const child = execFile(program, [...where, ...args], { timeout: HANGS_MS }, (error, out) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out });
      });
      children.add(child);
    });

  const lines = (out: string) => out.split('\n').filter((line) => line !== '');

  it.each(['/esp/temp', 'a//b', 'räume/küche 1', '$x/y'])(
    'put, read back and list the key %s',
    async (key) => {
      for (const qos of ['0', '1', '2']) {
        const put = await run('mosquitto_pub', '-t', `dss/put/${key}`, '-m', `v${qos}`, '-q', qos);
        expect(put.code).toBe(0);
        const read = await run(
          'mosquitto_sub',
          '-t',
          `dss/value/${key}`,
          '-C',
          '1',
          '-F',
          '%t %p %r',
        );
        expect(lines(read.out)).toEqual([`dss/value/${key} v${qos} 1`]);
      }
      const get = await run(
        'mosquitto_rr',
        '-V',
        'mqttv311',
        '-t',
        `dss/get/${key}`,
        '-e',
        'dss/reply/me',
        '-m',
        '{"id":1}',
      );
      expect(JSON.parse(get.out)).toMatchObject({ id: 1, key, ok: true, value: 'v2' });
      const list = await run(
        'mosquitto_rr',
        '-V',
        'mqttv311',
        '-t',
        'dss/list',
        '-e',
        'dss/reply/me',
        '-n',
      );
      expect(JSON.parse(list.out)).toMatchObject({ keys: [key], more: false });
    },
  );

  it('see snapshot and changes at QoS 1', async () => {
    harness.plane.store('a', '1');
    const reading = run(
      'mosquitto_sub',
      '-t',
      'dss/value/#',
      '-q',
      '1',
      '-C',
      '3',
      '-F',
      '%t %p %q %r',
    );
    await untilWatched(harness);
    await run('mosquitto_pub', '-t', 'dss/put/b', '-m', '2', '-q', '1');
    await run('mosquitto_pub', '-t', 'dss/put/a', '-n', '-q', '1');
    expect(lines((await reading).out)).toEqual([
      'dss/value/a 1 1 1',
      'dss/value/b 2 1 0',
      'dss/value/a  1 0',
    ]);
  });

  it('pipe thousands of puts through one connection', async () => {
    const child = spawn('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(listener.address.port),
      '-t',
      'dss/put/k',
      '-q',
      '1',
      '-l',
    ]);
    children.add(child);
    child.stdin.end(Array.from({ length: 3_000 }, (_, i) => `${i}\n`).join(''));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(0);
    expect(harness.plane.writes.map(({ value }) => Number(value))).toEqual(
      Array.from({ length: 3_000 }, (_, i) => i),
    );
  });

  it('leave their will', async () => {
    const will = ['--will-topic', 'dss/put/dev42/status', '--will-payload', 'offline'];
    void run('mosquitto_sub', '-t', 'dss/value/x', '-q', '1', ...will);
    await untilWatched(harness);
    for (const child of children) child.kill('SIGKILL');
    await until('the will', () => harness.plane.value('dev42/status') === 'offline');
  });

  it('exchange ordinary messages as with any broker', async () => {
    const reading = run('mosquitto_sub', '-t', 'plain/#', '-q', '2', '-C', '3', '-F', '%t %p %q');
    await until('the subscriber', () => harness.broker.counters().connections === 1);
    await run('mosquitto_pub', '-t', 'plain/r', '-m', 'kept', '-r', '-q', '1');
    for (const qos of ['0', '2']) await run('mosquitto_pub', '-t', 'plain/a', '-m', 'm', '-q', qos);
    expect(lines((await reading).out)).toEqual(['plain/r kept 1', 'plain/a m 0', 'plain/a m 2']);
    const retained = await run('mosquitto_sub', '-t', 'plain/r', '-C', '1', '-F', '%p %r');
    expect(lines(retained.out)).toEqual(['kept 1']);
  });

  it.each(['mqttv311', 'mqttv50'])('bridge both ways in %s', async (version) => {
    const directory = mkdtempSync(join(tmpdir(), 'dss-bridge-'));
    const [port] = (await freePorts(1)) as [number];
    const configuration = join(directory, 'bridge.conf');
    writeFileSync(
      configuration,
      [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'connection dss',
        `address 127.0.0.1:${listener.address.port}`,
        `bridge_protocol_version ${version}`,
        'topic # out 1 floor/ dss/put/floor/',
        'topic # in 1 values/ dss/value/',
        '',
      ].join('\n'),
    );
    try {
      const bridge = spawn('mosquitto', ['-c', configuration], { stdio: 'ignore' });
      children.add(bridge);
      await untilWatched(harness);
      harness.plane.store('from/dss', '1');
      const local = ['-h', '127.0.0.1', '-p', String(port)];
      await new Promise((resolve) => {
        execFile('mosquitto_pub', [...local, '-t', 'floor/t', '-m', '21', '-q', '1'], resolve);
      });
      await until('the value', () => harness.plane.value('floor/t') === '21');
      // The change came retained, so the bridged broker has kept it.
      const read = await new Promise<string>((resolve) => {
        const args = [...local, '-t', 'values/from/dss', '-C', '1', '-F', '%p %r'];
        children.add(
          execFile('mosquitto_sub', args, { timeout: 5_000 }, (_error, out) => resolve(out)),
        );
      });
      expect(read.trim()).toBe('1 1');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

async function untilWatched({ plane }: Harness): Promise<void> {
  await until('the subscription', () => plane.watches.size > 0);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  await eventually(what, () => condition() || undefined);
}
