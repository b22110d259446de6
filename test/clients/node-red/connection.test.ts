import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DssError } from '../../../clients/client/errors.ts';

const load = createRequire(import.meta.url);
const { Connection } = load('../../../clients/node-red/lib/connection.js');

class FakeClient {
  url: string | undefined = 'mqtt://n1';
  closed = 0;
  readonly listeners = new Map<string, (event: object) => void>();
  on(name: string, listener: (event: object) => void) {
    this.listeners.set(name, listener);
  }
  close() {
    this.closed += 1;
  }
}

const unavailable = () => new DssError('UNAVAILABLE', 'cannot reach mqtt://n1');

describe('the connection that nodes of a cluster entry share', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const setUp = (open: (signal: AbortSignal) => Promise<unknown>) => {
    const opened = vi.fn(open);
    const logged: object[] = [];
    const connection = new Connection(opened, (state: object) => logged.push(state));
    const states: { kind: string; error?: Error }[] = [];
    return {
      opened,
      connection,
      logged,
      states,
      follow: () => connection.follow(states.push.bind(states)),
    };
  };

  it('is opened when somebody needs it, and once', async () => {
    const client = new FakeClient();
    const { connection, opened, follow, states, logged } = setUp(async () => client);
    expect(opened).not.toHaveBeenCalled();
    follow();
    follow();
    expect(await connection.client()).toBe(client);
    expect(await connection.client()).toBe(client);
    expect(opened).toHaveBeenCalledTimes(1);
    expect(states.map(({ kind }) => kind)).toEqual([
      'connecting',
      'connecting',
      'connected',
      'connected',
    ]);
    expect(logged).toEqual([{ kind: 'connected', url: 'mqtt://n1' }]);
  });

  it('is tried again after a pause, and says meanwhile what the problem is', async () => {
    const client = new FakeClient();
    const problems = [unavailable(), new DssError('BAD_CREDENTIALS', 'no such user')];
    const { connection, follow, states } = setUp(async () => {
      const problem = problems.shift();
      if (problem) throw problem;
      return client;
    });
    follow();
    await expect(connection.client()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(states.at(-1)).toMatchObject({ kind: 'connecting', error: { code: 'UNAVAILABLE' } });
    // Between two attempts nobody waits.
    await expect(connection.client()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states.at(-1)).toMatchObject({ kind: 'refused', error: { code: 'BAD_CREDENTIALS' } });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states.at(-1)).toEqual({ kind: 'connected', url: 'mqtt://n1' });
    expect(await connection.client()).toBe(client);
  });

  it('shows when the client loses its node and finds another one', async () => {
    const client = new FakeClient();
    const { connection, follow, states } = setUp(async () => client);
    follow();
    await connection.client();
    client.listeners.get('disconnect')?.({ reason: unavailable() });
    expect(states.at(-1)).toMatchObject({ kind: 'connecting', error: { code: 'UNAVAILABLE' } });
    client.url = 'mqtt://n2';
    client.listeners.get('connect')?.({});
    expect(states.at(-1)).toEqual({ kind: 'connected', url: 'mqtt://n2' });
  });

  it('closes the client, and ends an attempt that is under way', async () => {
    const client = new FakeClient();
    const first = setUp(async () => client);
    first.follow();
    await first.connection.client();
    await first.connection.close();
    expect(client.closed).toBe(1);

    const second = setUp(
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
        ),
    );
    second.follow();
    const waiting = expect(second.connection.client()).rejects.toMatchObject({
      code: 'CLIENT_CLOSED',
    });
    await second.connection.close();
    await waiting;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(second.opened).toHaveBeenCalledTimes(1);
  });
});
