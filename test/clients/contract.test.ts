import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { versionToUnixMs } from '../../broker/data-plane.ts';
import { type Listener, listenTcp } from '../../broker/server.ts';
import type { ValueRecord } from '../../clients/cli/transfer/record.ts';
import { type Harness, startBroker } from '../broker/harness.ts';
import { runCommand } from './run-command.ts';

interface Node extends Harness {
  readonly listener: Listener;
  readonly run: (args: readonly string[], stdin?: string) => ReturnType<typeof runCommand>;
}

async function startNode(): Promise<Node> {
  const harness = await startBroker();
  const listener = await listenTcp(harness.broker, { host: '127.0.0.1', port: 0 });
  const at = ['--node', `mqtt://127.0.0.1:${listener.address.port}`];
  return { ...harness, listener, run: (args, stdin) => runCommand([...args, ...at], stdin) };
}

/** That commands and the real broker, over a store in memory, mean the same. */
describe('dss', () => {
  let node: Node;
  let copy: Node;
  let directory: string;
  beforeEach(async () => {
    [node, copy] = [await startNode(), await startNode()];
    directory = await mkdtemp(join(tmpdir(), 'dss-contract-'));
  });
  afterEach(async () => {
    for (const { listener, broker } of [node, copy]) {
      await listener.close();
      await broker.close();
    }
    await rm(directory, { recursive: true, force: true });
  });

  it('compares and sets', async () => {
    const take = ['cas', 'lease', 'a', '--if', 'none', '--ttl', '30s', '--id', 'x', '--json'];
    const won = await node.run(take);
    expect(won).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(won.stdout).expiresAt).toBeGreaterThan(0);
    expect((await node.run(take)).stdout).toBe(won.stdout);
    const lost = await node.run(['cas', 'lease', 'b', '--if', 'none', '--json']);
    expect(lost.code).toBe(5);
    const { version } = JSON.parse(lost.stderr);
    expect(version).toBe(JSON.parse(won.stdout).version);
    const back = await node.run(['cas', 'lease', '--if', String(version), '--delete']);
    expect(back).toMatchObject({ code: 0 });
    expect(node.plane.value('lease')).toBeUndefined();
  });

  it('reads eventually', async () => {
    node.plane.store('k', 'v');
    const { stdout } = await node.run(['get', 'k', '--consistency', 'eventual']);
    expect(stdout).toBe('v\n');
    expect(node.plane.gets.at(-1)).toMatchObject({ eventual: true });
  });

  it('stores batches, or hears why not', async () => {
    const line = '{"key":"a","value":1,"time":"2026-01-01T00:00:00Z","ttl":60}';
    expect(await node.run(['batch', '--prefix', 'p'], line)).toMatchObject({ code: 0, stderr: '' });
    expect(node.plane.value('p/a')).toBe('1');
    const { code, stderr } = await node.run(['batch', '--json'], `${line}\n{"key":"b","valu":1}`);
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: 'INVALID_REQUEST',
      message: expect.stringMatching(/^line 1 to line 2: element 1 of the batch: unknown member/),
    });
  });

  it.each(['ndjson', 'csv'])('takes what another cluster has: %s', async (format) => {
    node.plane.store('räume/küche', '20');
    node.plane.store('räume/küche', '');
    node.plane.store('räume/küche', 'two\nlines');
    node.plane.store('bytes', Buffer.from([0xff, 0x00]));
    node.plane.store('lease', 'me', 60_000);
    const path = join(directory, `all.${format}`);
    expect(await node.run(['export', '--history', '--out', path])).toMatchObject({ code: 0 });
    expect(await copy.run(['import', path])).toMatchObject({ code: 0, stderr: '' });
    const exported = async ({ run }: Node) => {
      const { stdout } = await run(['export', '--history']);
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    const originals = await exported(node);
    // The store gives times of its own; what it was asked for is in its writes.
    const withoutTimes = ({ key, value, base64, delete: isDelete, expiresAt }: ValueRecord) => ({
      ...{ key, value, base64, isDelete, expires: expiresAt !== undefined },
    });
    expect((await exported(copy)).map(withoutTimes)).toEqual(originals.map(withoutTimes));
    expect(copy.plane.writes.map(({ time }) => versionToUnixMs(time))).toEqual(
      originals.map(({ time }) => time),
    );
  });

  it('exports page by page', async () => {
    for (let i = 0; i < 1_001; i += 1) node.plane.store(`k/${i}`, String(i));
    for (const flags of [[], ['--history']]) {
      const { stdout } = await node.run(['export', 'k', ...flags]);
      expect(stdout.trim().split('\n')).toHaveLength(1_001);
    }
  });

  it('finds out that it speaks to a node without making that complain', async () => {
    await node.run(['put', 'k', 'v']);
    await node.run(['get', 'k']);
    await node.run(['watch', 'k', '--count', '1']);
    expect(node.events.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it('shows what was refused lately', async () => {
    node.broker.publishSystem('cluster', { state: 'ok' });
    await node.run(['batch'], '{"key":"b","valu":1}');
    node.time.advance(2_000);
    const { stdout } = await node.run(['errors', '--recent', '--json']);
    const refusals = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(refusals).toContainEqual(
      expect.objectContaining({ node: 'one', code: 'INVALID_REQUEST', topic: 'dss/batch' }),
    );
  });

  it('completes the keys at a prompt', async () => {
    for (const key of ['p/a/1', 'p/a/2', 'p/b', 'q']) node.plane.store(key, 'v');
    const { completeKey } = await import('../../clients/cli/interactive/completion.ts');
    const { NodeConnection } = await import('../../clients/cli/connection.ts');
    const nodes = [`127.0.0.1:${node.listener.address.port}`];
    const connection = await NodeConnection.open({ nodes, timeoutMs: 5_000 });
    expect(await completeKey(connection, '')).toEqual(['p/', 'q']);
    expect(await completeKey(connection, 'p/')).toEqual(['p/a/', 'p/b']);
    expect(await completeKey(connection, 'p/a/')).toEqual(['p/a/1', 'p/a/2']);
    expect(await completeKey(connection, 'x')).toEqual([]);
    await connection.close();
  });
});
