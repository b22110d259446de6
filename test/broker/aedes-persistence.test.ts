import { describe, expect, it } from 'vitest';
import { type AedesPersistence, guardPersistence } from '../../broker/aedes-persistence.ts';

/** Writes down what reaches aedes' own persistence. */
function guarded() {
  const calls: unknown[][] = [];
  const queue: { messageId?: number }[] = [{}, { messageId: 4 }];
  const persistence: AedesPersistence = {
    subscriptionsByClient: async () => [],
    addSubscriptions: async (_client, subscriptions) => void calls.push(['add', ...subscriptions]),
    cleanSubscriptions: async ({ id }) => void calls.push(['cleanSubscriptions', id]),
    cleanIncoming: async ({ id }) => void calls.push(['cleanIncoming', id]),
    outgoingEnqueueCombi: async (subscriptions) => void calls.push(['enqueue', ...subscriptions]),
    outgoingStream: async function* () {
      yield* queue;
    },
    outgoingClearMessageId: async (_client, { messageId }) => calls.push(['clear', messageId]),
  };
  const endSession = guardPersistence(persistence, {
    mayGrant: (_client, filter) => filter !== 'secret',
    mayReceive: (clientId, topic) => clientId === 'admin' || topic !== 'secret',
  });
  return { persistence, endSession, calls };
}

describe('a persistent session', () => {
  it('keeps the filters that were granted, each SUBSCRIBE once', async () => {
    const { persistence, calls } = guarded();
    const filters = [{ topic: 'a' }, { topic: 'secret' }];
    for (const _ of filters) await persistence.addSubscriptions({}, filters);
    expect(calls).toEqual([['add', { topic: 'a' }]]);
  });

  it('has no message queued that its user may not read', async () => {
    const { persistence, calls } = guarded();
    const both = [{ clientId: 'admin' }, { clientId: 'sensor' }];
    await persistence.outgoingEnqueueCombi(both, { topic: 'secret' });
    await persistence.outgoingEnqueueCombi(both, { topic: 'a' });
    expect(calls).toEqual([
      ['enqueue', { clientId: 'admin' }],
      ['enqueue', ...both],
    ]);
  });

  it('loses nothing when a message without an id is taken back', async () => {
    const { persistence, calls } = guarded();
    await persistence.outgoingClearMessageId({ id: 'x' }, {});
    await persistence.outgoingClearMessageId({ id: 'x' }, { messageId: 3 });
    expect(calls).toEqual([['clear', 3]]);
  });

  it('ends with all that it has', async () => {
    const { endSession, calls } = guarded();
    await endSession('x');
    expect(calls).toEqual([
      ['cleanSubscriptions', 'x'],
      ['cleanIncoming', 'x'],
      ['clear', undefined],
      ['clear', 4],
    ]);
  });
});
