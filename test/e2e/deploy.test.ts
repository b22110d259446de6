import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePorts } from '../../bench/free-ports.ts';
import { SETTING_NAMES, variableOf } from '../../node/config/settings.ts';
import { cheapHash } from '../support/password.ts';
import {
  dss,
  dssScript,
  type RunningProcess,
  startProcess,
  temporaryDirectory,
} from './support/processes.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/deploy');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const variables = SETTING_NAMES.map(variableOf);

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
}

let directory: string;
const running = new Set<RunningProcess>();
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all([...running].map(({ exited }) => exited));
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
});

const start = (environment: Record<string, string>, ...flags: string[]): RunningProcess => {
  const started = startProcess(process.execPath, [dssScript, 'node', ...flags], { environment });
  running.add(started);
  return started;
};

describe('docs/deploy/dss.service', () => {
  const analyze = '/usr/bin/systemd-analyze';
  const hasAnalyze = existsSync(analyze);
  if (!hasAnalyze) console.warn('SKIPPED: systemd-analyze is not installed (Debian: systemd)');

  it.skipIf(!hasAnalyze)('is a unit that systemd understands', () => {
    const unit = join(folder, 'dss.service');
    // It prints what it does not understand, and goes on.
    const shell = `${analyze} verify --recursive-errors=no ${unit} 2>&1`;
    expect(execFileSync('sh', ['-c', shell], { encoding: 'utf8' })).toBe('');
  });

  it('starts a node with the configuration of docs/OPERATIONS.md', async () => {
    const [, command = ''] =
      /^ExecStart=\/usr\/bin\/env dss node (.*)$/m.exec(read('dss.service')) ?? [];
    const [, yaml = ''] =
      /```yaml\n(name: n1\n[\s\S]*?)```/.exec(
        readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8'),
      ) ?? [];
    const [mqtt, http] = (await freePorts(2)) as [number, number];
    const config = yaml
      .replace(/scrypt:\S+/, `"${cheapHash('of admin')}"`)
      .replace(/^peers: .*$/m, `mqttPort: ${mqtt}\nhttpPort: ${http}`);
    const file = join(directory, 'dss.yaml');
    await writeFile(file, config);
    const flags = command
      .replace('/etc/dss/dss.yaml', file)
      .replace('/var/lib/dss', join(directory, 'unit'))
      .split(' ');
    const node = start({ DSS_SECRET: 'c'.repeat(64) }, ...flags);
    await node.line(/^DSS node n1 is ready/);
    const answer = await fetch(`http://127.0.0.1:${http}/v1/cluster`, {
      headers: { authorization: `Basic ${btoa('admin:of admin')}` },
    });
    expect(answer.status).toBe(200);
    node.child.kill('SIGTERM');
    expect(await node.exited).toEqual({ code: 0, signal: null });
  });
});

describe('docs/deploy/compose.yaml and Dockerfile', () => {
  const compose = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, null>;
  };
  const services = Object.entries(compose.services);
  const image = read('Dockerfile');

  it('say nothing that a node does not know', () => {
    const ofImage = [...image.matchAll(/^(?:ENV)?\s+(DSS_\w+)=/gm)].map(([, name]) => name);
    expect(ofImage).toEqual(['DSS_DATA', 'DSS_LISTEN']);
    const given = services.flatMap(([, { environment }]) => Object.keys(environment));
    expect([...ofImage, ...given].filter((name) => !variables.includes(String(name)))).toEqual([]);
    expect(image).toContain('ENTRYPOINT ["dss"]\nCMD ["node"]');
    expect(image).toContain('\nUSER node\n');
  });

  it('let only this machine in, and give each node a volume', () => {
    expect(services.map(([name]) => name)).toEqual(['n1', 'n2', 'n3']);
    for (const [name, { ports, volumes }] of services) {
      expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
      expect(volumes).toEqual([`${name}:/var/lib/dss`]);
      expect(compose.volumes).toHaveProperty(name);
    }
  });

  it('copy into the image what the package holds', () => {
    const [, program = ''] = /ln -s \/opt\/dss\/(\S+)/.exec(image) ?? [];
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(program).toBe(bin.dss);
  });

  it('run three nodes that find each other, and are healthy', async () => {
    // Containers have an address each; so have these, of this machine.
    const net = 1 + (process.pid % 250);
    const address = (name: string) => `127.86.${net}.${name.slice(1)}`;
    const [, check = ''] = /CMD \["node", "-e", "(.*)"\]/.exec(image) ?? [];
    const nodes = services.map(([name, { environment }]) =>
      start({
        ...environment,
        DSS_SECRET: 'a'.repeat(64),
        DSS_PEERS: String(environment.DSS_PEERS).replace(
          /=(n\d)/g,
          (_, peer) => `=${address(peer)}`,
        ),
        DSS_LISTEN: address(name),
        DSS_DATA: join(directory, name),
      }),
    );
    await Promise.all(nodes.map((node) => node.line(/^DSS node n\d is ready/)));
    const { stdout } = await dss(['status', '--http', `http://${address('n2')}:8080`]);
    expect(stdout).toMatch(/a PUBACK means 2 of 3 copies/);

    const health = (name: string) =>
      startProcess('node', ['-e', check.replace('127.0.0.1', address(name))]).exited;
    expect(await health('n3')).toMatchObject({ code: 0 });
    nodes[2]?.child.kill('SIGTERM');
    expect(await nodes[2]?.exited).toEqual({ code: 0, signal: null });
    expect(await health('n3')).toMatchObject({ code: 1 });
  });
});
