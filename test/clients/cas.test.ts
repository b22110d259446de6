import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { runCommand } from './run-command.ts';

describe('dss cas', () => {
  let node: FakeNode;
  beforeEach(async () => {
    node = await startFakeNode();
  });
  afterEach(() => node.close());

  const run = (...args: string[]) => runCommand([...args, '--node', node.url]);

  it('stores where nothing is, and with a version that is still current', async () => {
    const first = await run('cas', 'lease', 'a', '--if', 'none', '--ttl', '1.5m', '--json');
    expect(first.code).toBe(0);
    const { version, expiresAt } = JSON.parse(first.stdout);
    expect(version).toBe(1);
    expect(expiresAt).toBeGreaterThan(Date.now() + 60_000);
    expect(node.requests.at(-1)?.body).toMatchObject({ if: null, value: 'a', ttl: 90 });
    const second = await run('cas', 'lease', 'b', '--if', String(version));
    expect(second).toMatchObject({ code: 0, stdout: 'stored lease, version 2\n' });
    expect(node.values.get('lease')?.toString()).toBe('b');
  });

  it('ends with 5 and names the version when it lost', async () => {
    await run('put', 'lease', 'a');
    const lost = await run('cas', 'lease', 'b', '--if', 'none', '--json');
    expect(lost).toMatchObject({ code: 5, stdout: '' });
    expect(JSON.parse(lost.stderr)).toMatchObject({
      ok: false,
      error: 'VERSION_MISMATCH',
      version: 1,
    });
    const gone = await run('cas', 'other', 'b', '--if', '7');
    expect(gone.stderr).toBe("dss: 'other' has no value: nothing changed\n");
    expect(node.values.get('lease')?.toString()).toBe('a');
  });

  it('deletes, and sends bytes as they are', async () => {
    await run('put', 'k', 'a');
    expect(await run('cas', 'k', '--if', '1', '--delete')).toMatchObject({ code: 0 });
    expect(node.values.has('k')).toBe(false);
    const bytes = Buffer.from('zwei\nZeilen\n');
    const piped = ['cas', 'k', '--if', 'none', '--stdin', '--node', node.url];
    expect(await runCommand(piped, bytes.toString())).toMatchObject({ code: 0 });
    expect(node.values.get('k')).toEqual(bytes);
  });

  it('asks again under the same id when the connection is lost, and has won', async () => {
    node.dropNext = 1;
    expect(await run('cas', 'k', 'a', '--if', 'none')).toMatchObject({ code: 0 });
    const [first, second, ...others] = node.requests;
    expect(others).toEqual([]);
    expect(second).toEqual(first);
  });

  it('is the same request with the same id, also as another process', async () => {
    const repeat = () => run('cas', 'k', 'a', '--if', 'none', '--id', 'job 7', '--json');
    expect((await repeat()).stdout).toBe((await repeat()).stdout);
    const [first, second] = node.requests;
    expect(second).toEqual(first);
    expect(first?.body.id).toBe('job 7');
    await run('cas', 'k2', 'a', '--if', 'none', '--id', 'job 8');
    expect(node.requests.at(-1)?.clientId).not.toBe(first?.clientId);
  });

  it.each([
    ['without --if', ['cas', 'k', 'v']],
    ['with a version that is none', ['cas', 'k', 'v', '--if', 'newest']],
    ['without a value', ['cas', 'k', '--if', 'none']],
    ['with an empty value', ['cas', 'k', '', '--if', 'none']],
    ['with a value and --delete', ['cas', 'k', 'v', '--if', '1', '--delete']],
    ['with a ttl and --delete', ['cas', 'k', '--if', '1', '--delete', '--ttl', '1s']],
    ['with a ttl that is none', ['cas', 'k', 'v', '--if', 'none', '--ttl', 'soon']],
    ['with no time to live', ['cas', 'k', 'v', '--if', 'none', '--ttl', '0s']],
  ])('calls it a wrong command line: %s', async (_what, args) => {
    expect(await run(...args)).toMatchObject({ code: 2, stdout: '' });
    expect(node.requests).toEqual([]);
  });
});

describe('dss get --consistency', () => {
  it('asks for what is asked for', async () => {
    const node = await startFakeNode();
    node.values.set('k', Buffer.from('v'));
    const args = ['get', 'k', '--node', node.url, '--consistency'];
    expect(await runCommand([...args, 'eventual'])).toMatchObject({ code: 0, stdout: 'v\n' });
    expect(node.requests.at(-1)?.body.consistency).toBe('eventual');
    expect(await runCommand([...args, 'soon'])).toMatchObject({ code: 2 });
    await node.close();
  });
});
