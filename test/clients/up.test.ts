import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ClusterProcess,
  commandLine,
  nodeArguments,
} from '../../clients/cli/up/cluster-process.ts';
import { lockDirectory } from '../../clients/cli/up/directory-lock.ts';
import {
  forgetUnused,
  hasLayout,
  openLayout,
  openSecretFile,
  rememberRemoved,
} from '../../clients/cli/up/layout.ts';
import { choosePorts } from '../../clients/cli/up/ports.ts';

/** What `dss up` remembers and decides; starting real nodes is in test/e2e. */
describe('dss up', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-up-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  describe('ports', () => {
    let server: Server;
    let taken: number;
    beforeEach(async () => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      taken = (server.address() as AddressInfo).port;
    });
    afterEach(() => server.close());

    it('move up to the next free block when nobody asked for them', async () => {
      const choice = { purpose: 'MQTT', base: taken, fixed: false, flag: '--mqtt-port' };
      const ports = await choosePorts(choice, 2);
      expect(ports).toHaveLength(2);
      expect(ports).not.toContain(taken);
      expect(((ports[0] as number) - taken) % 2).toBe(0);
    });

    it('are an error that names the port when they were asked for', async () => {
      const choice = { purpose: 'MQTT', base: taken - 1, fixed: true, flag: '--mqtt-port' };
      await expect(choosePorts(choice, 2)).rejects.toMatchObject({ exitCode: 1 });
      await expect(choosePorts(choice, 2)).rejects.toThrow(/port \d+ for MQTT is taken/);
    });
  });

  it.each([
    ['has removed', 'process.exit(6)'],
    ['was left by', "process.send({ event: 'left' }, () => process.exit(0))"],
  ])('goes on without a node that the cluster %s, and does not name it', async (_, ends) => {
    const script = join(directory, 'node.mjs');
    await writeFile(
      script,
      `if (process.argv.includes('n2')) await new Promise(() => { ${ends}; });
      process.send({ event: 'usable', tls: false, users: false, warnings: [] });
      // Somebody who listens keeps the channel, and so the process.
      process.on('message', () => {});`,
    );
    const node = (id: number) => ({ name: `n${id}`, mqttPort: 10 + id, httpPort: 20 + id });
    const nodes = [1, 2, 3].map(node);
    const removed: string[] = [];
    const cluster = new ClusterProcess({
      ...{ script, dataDir: directory, secretFile: '', logLevel: 'warn' },
      layout: { format: 1, nodes },
      onLog: () => {},
      onStopped: () => {},
      onRemoved: (node, joinAgain) => removed.push(`${node}: ${joinAgain}`),
    });
    await cluster.start();
    expect([...cluster.processIds.keys()]).toEqual(['n1', 'n3']);
    await cluster.stop();
    expect(removed).toEqual([expect.stringMatching(/^n2: rm -r \S+\/n2 && \S.* --name n2 /)]);
    expect(removed[0]).toContain(' --join 127.0.0.1:11,127.0.0.1:13 ');
    expect([...cluster.removed]).toEqual(['n2']);
  });

  it('has a node that was removed join, should it start without what it held', async () => {
    const base = 16_000 + (process.pid % 5_000);
    const layout = await openLayout(directory, { nodes: 3, mqttPort: base, httpPort: base + 10 });
    await rememberRemoved(directory, layout, new Set(['n1']));
    const again = await openLayout(directory, {});
    const [first, second] = again.nodes.map((node) =>
      nodeArguments(node, {
        ...{ dataDir: 'd', secretFile: 's', logLevel: 'warn' },
        layout: again,
      }),
    );
    expect(first?.join(' ')).toContain(` --join 127.0.0.1:${base + 1},127.0.0.1:${base + 2} `);
    expect(second).not.toContain('--join');
  });

  it('remembers its layout and refuses another one', async () => {
    const base = 21_000 + (process.pid % 5_000);
    const flags = { nodes: 2, mqttPort: base, httpPort: base + 10, shards: 8 };
    const layout = await openLayout(directory, flags);
    expect(layout).toEqual({
      format: 1,
      nodes: [
        { name: 'n1', mqttPort: base, httpPort: base + 10 },
        { name: 'n2', mqttPort: base + 1, httpPort: base + 11 },
      ],
      shards: 8,
    });
    expect(await openLayout(directory, {})).toEqual(layout);
    expect(await openLayout(directory, flags)).toEqual(layout);
    await expect(openLayout(directory, { nodes: 1 })).rejects.toThrow(/created with --nodes 2/);
    await expect(openLayout(directory, { mqttPort: 1 })).rejects.toThrow(/--mqtt-port/);
    await writeFile(join(directory, 'cluster.json'), '{');
    await expect(openLayout(directory, {})).rejects.toThrow(/not a layout/);
  });

  it('grows when more nodes are asked for, which join the first ones', async () => {
    const base = 26_000 + (process.pid % 5_000);
    await openLayout(directory, { nodes: 2, mqttPort: base, httpPort: base + 10 });
    const layout = await openLayout(directory, { nodes: 3 });
    const third = { name: 'n3', mqttPort: base + 2, httpPort: base + 12, joins: true as const };
    expect(layout.nodes.at(-1)).toEqual(third);
    expect(await openLayout(directory, {})).toEqual(layout);
    const options = { dataDir: 'd', secretFile: 's', logLevel: 'warn', layout };
    const argumentsOf = layout.nodes.map((node) => nodeArguments(node, options).join(' '));
    const peers = `--peers n1=127.0.0.1:${base},n2=127.0.0.1:${base + 1} `;
    expect(argumentsOf[0]).toContain(peers);
    expect(argumentsOf[2]).toContain(`--join 127.0.0.1:${base},127.0.0.1:${base + 1} `);
    expect(argumentsOf[2]).not.toContain('--peers');
  });

  it('makes the secret once and keeps it to its owner', async () => {
    const path = await openSecretFile(directory);
    const secret = await readFile(path, 'utf8');
    expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await openSecretFile(directory);
    expect(await readFile(path, 'utf8')).toBe(secret);
  });

  it('forgets a first start that came to nothing, but nothing that a node may have kept', async () => {
    const base = 23_000 + (process.pid % 5_000);
    const flags = { nodes: 2, mqttPort: base, httpPort: base + 10 };
    expect(hasLayout(directory)).toBe(false);
    const layout = await openLayout(directory, flags);
    expect(hasLayout(directory)).toBe(true);
    await openSecretFile(directory);
    await forgetUnused(directory, layout);
    expect(await readdir(directory)).toEqual([]);

    await openLayout(directory, flags);
    await openSecretFile(directory);
    await mkdir(join(directory, 'n2'));
    await forgetUnused(directory, layout);
    expect((await readdir(directory)).sort()).toEqual(['cluster-secret', 'cluster.json', 'n2']);
  });

  it('takes over the lock of a process that is gone', async () => {
    await writeFile(join(directory, 'up.pid'), '4194305\n');
    const unlock = await lockDirectory(directory);
    expect(await readFile(join(directory, 'up.pid'), 'utf8')).toBe(`${process.pid}\n`);
    await unlock();
    await expect(stat(join(directory, 'up.pid'))).rejects.toThrow(/ENOENT/);
  });

  it('names what is in the way of a data directory', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    await expect(lockDirectory(path)).rejects.toThrow(
      /file cannot be the data directory: there is/,
    );
  });

  it('names a node of the cluster that somebody started by hand', async () => {
    const base = 26_000 + (process.pid % 5_000);
    await openLayout(directory, { nodes: 1, mqttPort: base, httpPort: base + 10 });
    const args = ['-e', 'setInterval(() => {}, 1000)', '--', 'node', '--name', 'n1'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      await mkdir(join(directory, 'n1'));
      await writeFile(join(directory, 'n1', 'lock'), `${child.pid} 1\n`);
      await expect(openLayout(directory, {})).rejects.toThrow(
        `n1 of this cluster is still running (process ${child.pid})`,
      );
    } finally {
      child.kill();
    }
    await once(child, 'close');
    expect((await openLayout(directory, {})).nodes).toHaveLength(1);
  });

  it('prints a command that can be pasted', () => {
    const nodes = [
      { name: 'n1', mqttPort: 1883, httpPort: 8080 },
      { name: 'n2', mqttPort: 1884, httpPort: 8081 },
    ];
    const options = { dataDir: './my data', secretFile: './my data/cluster-secret' };
    const layout = { format: 1, nodes } as const;
    const args = nodeArguments(nodes[1] as (typeof nodes)[0], {
      ...options,
      layout,
      logLevel: 'warn',
    });
    expect(commandLine('/opt/dss/dist/clients/cli/dss.js', args)).toMatch(
      /dss\.js node --name n2 --data '\.\/my data\/n2' --mqtt-port 1884 --http-port 8081 --peers n1=127\.0\.0\.1:1883,n2=127\.0\.0\.1:1884 --secret-file '\.\/my data\/cluster-secret' --log-level warn$/,
    );
  });

  it('tells the nodes how to store, as far as it is told', () => {
    const node = { name: 'n1', mqttPort: 1883, httpPort: 8080 };
    const given = { dataDir: 'd', secretFile: 's', logLevel: 'warn' };
    const layout = { format: 1, nodes: [node] } as const;
    const storage = { storageEngine: 'classic-level', storageMaxBytes: '1GiB', verifyHours: '0' };
    const plain = nodeArguments(node, { ...given, layout });
    const told = nodeArguments(node, { ...given, layout, storage });
    expect(told.slice(plain.length)).toEqual([
      '--storage-engine',
      'classic-level',
      '--storage-max-bytes',
      '1GiB',
      '--verify-hours',
      '0',
    ]);
  });

  it('tells the nodes who may reach them, and lets them meet where they listen', () => {
    const node = { name: 'n1', mqttPort: 1883, httpPort: 8080 };
    const layout = { format: 1, nodes: [node, { name: 'n2', mqttPort: 1884, httpPort: 8081 }] };
    const argumentsWith = (reach: object) =>
      nodeArguments(node, {
        dataDir: 'd',
        secretFile: 's',
        layout: layout as Parameters<typeof nodeArguments>[1]['layout'],
        logLevel: 'warn',
        reach,
      }).join(' ');
    expect(
      argumentsWith({
        listen: '0.0.0.0',
        advertise: 'here.lan',
        anonymous: true,
        config: 'c.yaml',
      }),
    ).toMatch(
      / --peers n1=127\.0\.0\.1:1883,.* --listen 0\.0\.0\.0 --advertise here\.lan --anonymous --config c\.yaml$/,
    );
    expect(argumentsWith({ listen: '192.168.1.5' })).toContain('--peers n1=192.168.1.5:1883,');
    expect(argumentsWith({ listen: '::1' })).toContain('--peers n1=[::1]:1883,');
  });
});
