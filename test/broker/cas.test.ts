import { describe, expect, it } from 'vitest';
import { casToken, identityOf } from '../../broker/cas.ts';
import { type CompareAndSetOutcome, versionToUnixMs } from '../../broker/data-plane.ts';
import { publish, subscribe } from '../support/mqtt-frames.ts';
import { type Harness, type RawClient, settle, startBroker } from './harness.ts';

/** A client that asks at QoS 1 and hears answers on `dss/reply/me`, complaints on `dss/error/me`. */
async function contender(harness: Harness, clientId: string) {
  const client = await harness.connect({ clientId });
  client.send(subscribe(1, ['dss/reply/me', 0], ['dss/error/me', 0]));
  await client.take('suback');
  let id = 1;
  const cas = async (key: string, request: object | string) => {
    id += 1;
    const payload = typeof request === 'string' ? request : JSON.stringify(request);
    client.send(publish(`dss/cas/${key}`, payload, { qos: 1, id }));
    const reply = JSON.parse((await client.take('publish')).payload) as Record<string, unknown>;
    expect((await client.take('puback')).id).toBe(id);
    return reply;
  };
  return { client, cas };
}

describe('dss/cas', () => {
  it('writes if the current value is the one expected, and says which is if not', async () => {
    const harness = await startBroker();
    const { cas } = await contender(harness, 'a');
    const first = await cas('k', { id: 1, if: null, value: 'one' });
    const version = expect.any(Number);
    expect(first).toEqual({ id: 1, op: 'cas', key: 'k', ok: true, version });
    expect(await cas('k', { if: null, value: 'two' })).toEqual({
      op: 'cas',
      key: 'k',
      ok: false,
      error: 'VERSION_MISMATCH',
      version: first.version,
    });
    const second = await cas('k', { if: first.version, value: { state: 'two' } });
    expect(second).toMatchObject({ ok: true });
    expect(harness.plane.value('k')).toBe('{"state":"two"}');
    expect(await cas('k', { if: second.version, delete: true })).toMatchObject({ ok: true });
    const nothing = { ok: false, error: 'VERSION_MISMATCH', version: null };
    expect(await cas('k', { if: second.version, base64: '/w==' })).toMatchObject(nothing);
    expect(await cas('k', { if: null, value: '' })).toMatchObject({ ok: true });
    expect(harness.plane.value('k')).toBeUndefined();
  });

  it('holds a lease: nobody else gets it until it has expired', async () => {
    const harness = await startBroker();
    const [a, b] = [await contender(harness, 'a'), await contender(harness, 'b')];
    const lease = { if: null, value: 'mine', ttl: 30, id: 'lease' };
    const won = await a.cas('leader', lease);
    const expiresAt = versionToUnixMs(won.version as number) + 30_000;
    expect(won).toMatchObject({ ok: true, expiresAt });
    expect(await b.cas('leader', lease)).toMatchObject({ ok: false, version: won.version });
    const renewed = await a.cas('leader', { ...lease, if: won.version, id: 'renewal 1' });
    expect(renewed).toMatchObject({ ok: true });
    harness.plane.expire('leader');
    expect(await b.cas('leader', lease)).toMatchObject({ ok: true });
  });

  it('answers a winner that repeats itself as it did, over a reconnect too', async () => {
    const harness = await startBroker();
    const request = { if: null, value: 'v', id: 7 };
    const first = await contender(harness, 'device');
    const won = await first.cas('k', request);
    expect(await first.cas('k', request)).toEqual(won);
    first.client.cut();
    const again = await contender(harness, 'device');
    expect(await again.cas('k', request)).toEqual(won);
    expect(await again.cas('k', { ...request, id: 8 })).toMatchObject({ ok: false });
    expect(await again.cas('k', { ...request, value: 'w' })).toMatchObject({ ok: false });
    expect(await again.cas('k', { if: null, value: 'v' })).toMatchObject({ ok: false });
  });

  it('takes two clients without an id of their own for two', async () => {
    let draws = 0;
    const random = { below: (bound: number) => (draws += 1) % bound };
    const request = { op: 'cas', key: Buffer.of(1), value: Buffer.of(2), ifVersion: null } as const;
    const named = { ...request, ttlMs: 0, address: { id: 1, topic: undefined } };
    const token = (clientId: string, userName = '') =>
      Buffer.from(casToken(identityOf({ userName, clientId }, random), named) ?? []).toString(
        'hex',
      );
    expect(token('')).not.toBe(token(''));
    expect(token('a')).toBe(token('a'));
    expect(new Set([token('a'), token('b'), token('a', 'b'), token('', 'a')]).size).toBe(4);
    expect(token('a')).toHaveLength(32);
  });

  it.each([
    [{ value: 1 }, /"if" must be the version that the key has, or null/],
    [{ if: 0, value: 1 }, /"if" must be/],
    [{ if: 1.5, value: 1 }, /"if" must be/],
    [{ if: '1', value: 1 }, /"if" must be/],
    [{ if: null }, /exactly one of "value", "base64" and "delete"/],
    [{ if: null, value: 1, delete: true }, /exactly one/],
    [
      { if: null, value: 1, ttl: 0 },
      /"ttl" must be a number of seconds over 0 and up to 315360000/,
    ],
    [{ if: null, value: 1, ttl: 315_360_001 }, /"ttl" must be/],
    [{ if: null, value: 1, ttl: '5' }, /"ttl" must be/],
    [{ if: 1, delete: true, ttl: 5 }, /"ttl" goes with a value/],
    [{ if: 1, value: '', ttl: 5 }, /"ttl" goes with a value/],
    [{ if: null, value: 1, time: 5 }, /unknown member "time"; allowed are id, if/],
  ])('refuses %j', async (request, message) => {
    const harness = await startBroker();
    const { cas } = await contender(harness, 'a');
    expect(await cas('k', { id: 5, ...request })).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringMatching(message),
      topic: 'dss/cas/k',
      id: 5,
    });
    expect(harness.plane.value('k')).toBeUndefined();
  });

  it('refuses a value whose JSON text is too large', async () => {
    const harness = await startBroker({ limits: { valueBytesMax: 1_000 } });
    const { cas } = await contender(harness, 'a');
    const grows = `{"if":null,"value":[${Array(150).fill('1e20').join(',')}]}`;
    expect(await cas('k', grows)).toMatchObject({ code: 'VALUE_TOO_LARGE' });
  });

  it('shows a ttl below a millisecond as one', async () => {
    const harness = await startBroker();
    const { cas } = await contender(harness, 'a');
    const { version, expiresAt } = await cas('k', { if: null, value: 1, ttl: 0.0001 });
    expect(expiresAt).toBe(versionToUnixMs(version as number) + 1);
  });
});

describe('a compare-and-set without an outcome', () => {
  const settleWith = async (
    outcome: CompareAndSetOutcome | Error,
    qos: number,
  ): Promise<Harness & { client: RawClient }> => {
    const harness = await startBroker();
    harness.plane.compareAndSet = async () => {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    const { client } = await contender(harness, 'a');
    client.send(publish('dss/cas/k', '{"if":null,"value":1,"id":3}', { qos, id: 9 }));
    await settle();
    return { ...harness, client };
  };

  it.each([1, 2])('is not acknowledged at QoS %i, and the connection ends', async (qos) => {
    for (const outcome of [
      { kind: 'failed', failure: 'no-quorum' } as const,
      { kind: 'failed', failure: 'stopping' } as const,
      new Error('out of order'),
    ]) {
      const { client, time, broker } = await settleWith(outcome, qos);
      time.advance(5_000);
      await client.untilClosed();
      expect(client.received).toEqual([]);
      expect(broker.counters().putsFailed).toBe(1);
    }
  });

  it('is answered at QoS 0, where nothing is acknowledged', async () => {
    const { client } = await settleWith({ kind: 'failed', failure: 'no-quorum' }, 0);
    const reply = JSON.parse((await client.take('publish')).payload);
    expect(reply).toEqual({ id: 3, op: 'cas', key: 'k', ok: false, error: 'UNAVAILABLE' });
    expect(client.closed).toBe(false);
  });
});
