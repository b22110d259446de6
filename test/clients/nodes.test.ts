import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { createGenesis, writeGenesis } from '../../node/membership/genesis.ts';
import { parseToken } from '../../node/membership/token.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

describe('the nodes of a cluster', () => {
  let node: FakeNode;
  beforeEach(async () => {
    node = await startFakeNode();
    const row = { id: 'a', health: 'active', zone: 'east', weight: 1, http: null };
    const since = Date.now() - 90_000;
    const nodes = [
      { ...row, name: 'n1', state: 'active', mqtt: 'gw1:1883', since },
      { ...row, name: 'n2', state: 'leaving', mqtt: 'gw2:1883', http: 'gw2:8080', since },
    ];
    node.answerHttp = () => ({ status: 200, body: { revision: 3, nodes } });
  });
  afterEach(() => node.close());
  const run = (...args: string[]) => runCommand([...args, '--http', node.http]);

  it('are a table', async () => {
    const { code, stdout } = await run('nodes');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'NODE  STATE    HEARD   ZONE  WEIGHT  MQTT      HTTP      SINCE',
      'n1    active   active  east       1  gw1:1883            1m 30s ago',
      'n2    leaving  active  east       1  gw2:1883  gw2:8080  1m 30s ago',
      '',
    ]);
    const json = await run('nodes', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ revision: 3, nodes: [{ name: 'n1' }, {}] });
  });

  it('leave, and get another weight', async () => {
    const left = await run('node', 'leave', 'n2');
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining('leaving') });
    expect(left.stderr).toContain('n2 stops by itself');
    expect(await run('node', 'weight', 'räck 1', '2.5')).toMatchObject({ code: 0 });
    expect(node.httpRequests).toEqual([
      { method: 'POST', path: '/v1/cluster/nodes/n2/leave', body: undefined },
      { method: 'POST', path: '/v1/cluster/nodes/r%C3%A4ck%201/weight', body: { weight: 2.5 } },
    ]);
    expect(await run('node', 'weight', 'n2', '0')).toMatchObject({ code: 2 });
    expect(await run('node', 'leave')).toMatchObject({ code: 2 });
  });

  it('that are not there are not found', async () => {
    const detail = 'there is no node n9';
    node.answerHttp = () => ({ status: 404, body: { code: 'NOT_FOUND', detail } });
    expect(await run('node', 'leave', 'n9')).toMatchObject({
      code: 3,
      stderr: `dss: ${detail}\n`,
    });
  });
});

describe('dss token', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'dss-token-'));
    await mkdir(join(directory, 'n1'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const token = (...args: string[]) =>
    runCommand(['token', '--data', join(directory, 'n1'), ...args]);

  it('is of the cluster, the secret and the members that the node knows', async () => {
    const genesis = createGenesis({
      ...{ clusterId: 'c', nowMs: 1, replicationFactor: 3, shardCount: 4 },
      nodes: ['n1', 'n2'].map((name) => ({ node: name, name, mqttAddress: `${name}:1883` })),
    });
    await writeGenesis(new OsVfs(), join(directory, 'n1'), genesis);
    const secret = 'the secret of a cluster';
    const content = { clusterId: 'c', secret, addresses: ['n1:1883', 'n2:1883'] };
    const said = await token('--secret', secret);
    expect(parseToken(said.stdout.trim())).toEqual(content);
    const json = JSON.parse((await token('--secret', secret, '--json')).stdout);
    expect(json).toEqual({
      token: said.stdout.trim(),
      clusterId: 'c',
      addresses: content.addresses,
    });

    // As `dss up` keeps it, and as a node does that has drawn or been brought it.
    await writeFile(join(directory, 'cluster-secret'), `${secret} of all\n`);
    expect(parseToken((await token()).stdout.trim())?.secret).toBe(`${secret} of all`);
    await writeFile(join(directory, 'n1', 'cluster-secret'), `${secret} of n1\n`);
    expect(parseToken((await token()).stdout.trim())?.secret).toBe(`${secret} of n1`);
  });

  it('says what is missing', async () => {
    const { code, stderr } = await token();
    expect([code, stderr]).toEqual([1, expect.stringContaining('--secret-file')]);
  });
});
