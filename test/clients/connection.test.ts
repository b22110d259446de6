import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeConnection } from '../../clients/cli/connection.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';

/** What becomes of a conversation whose connection is lost in the middle. */
describe('a connection to the cluster', () => {
  let node: FakeNode;
  let connection: NodeConnection;
  beforeEach(async () => {
    node = await startFakeNode();
    connection = await NodeConnection.open({ nodes: [node.url], timeoutMs: 5_000 });
  });
  afterEach(async () => {
    await connection.close();
    await node.close();
  });

  const loseConnection = async (): Promise<void> => {
    await expect.poll(() => node.puts.length).toBe(1);
    node.holdAcknowledgements = false;
    node.dropConnections();
  };

  it.each([1, 2] as const)('sends a put again until it is acknowledged: QoS %i', async (qos) => {
    node.holdAcknowledgements = true;
    const stored = connection.put('k', Buffer.from('v'), qos);
    await loseConnection();
    await stored;
    expect(node.puts.map(({ key }) => key)).toEqual(['k', 'k']);
    expect(node.values.get('k')?.toString()).toBe('v');
  });

  it('hears of a refusal on the next connection too', async () => {
    node.holdAcknowledgements = true;
    const refused = connection.put('forbidden', Buffer.from('v'));
    const outcome = expect(refused).rejects.toMatchObject({ code: 'INVALID_KEY', exitCode: 1 });
    await loseConnection();
    await outcome;
  });

  it('sends nothing again to a broker that took the place of the node', async () => {
    await connection.close();
    connection = await NodeConnection.open({ nodes: [node.url], timeoutMs: 1_000 });
    node.holdAcknowledgements = true;
    const stored = connection.put('k', Buffer.from('v'));
    const outcome = expect(stored).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('is an MQTT broker, but not a node of DSS'),
    });
    node.qosMax = () => 2;
    await loseConnection();
    await outcome;
    expect(node.puts).toHaveLength(1);
  });

  it('asks again, and watches again from the current values on', async () => {
    await connection.put('k', Buffer.from('v'));
    const seen: string[] = [];
    await connection.watch('#', (key, payload, snapshot) => {
      seen.push(`${key} ${payload} ${snapshot}`);
    });
    await expect.poll(() => seen).toEqual(['k v true']);
    node.dropNext = 1;
    const reply = await connection.request('dss/get/k', {});
    expect(reply).toMatchObject({ ok: true, value: 'v' });
    expect(node.requests).toHaveLength(2);
    await expect.poll(() => seen).toEqual(['k v true', 'k v true']);
    await connection.put('k', Buffer.from('w'));
    await expect.poll(() => seen.at(-1)).toBe('k w false');
  });

  it('has one client id for all of its connections', async () => {
    const ids: string[] = [];
    node.onConnect = (clientId) => ids.push(clientId);
    await connection.close();
    const { url } = node;
    connection = await NodeConnection.open({ nodes: [url], timeoutMs: 5_000, clientId: 'me' });
    node.dropNext = 1;
    await connection.request('dss/get/k', {});
    expect(ids).toEqual(['me', 'me']);
  });
});
