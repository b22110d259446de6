import { describe, expect, it } from 'vitest';
import { type RpcBody, RpcHub, type RpcMessage } from '../../../node/transport/rpc.ts';
import type { Channel } from '../../../node/transport/transport.ts';
import { cluster, decode, encode, ProtocolError } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { utf8 } from '../support.ts';

function fixture(startCounter = 1) {
  const world = new FakeEnv();
  const sent: { node: string; channel: Channel; payload: Uint8Array }[] = [];
  const hub = new RpcHub(world.env, {
    identity: () => ({ node: 'me', startCounter, syncedRound: 42 }),
    send: (node, channel, payload) => {
      sent.push({ node, channel, payload });
      return true;
    },
  });
  const calls = () =>
    sent.flatMap(({ payload }) => decode(cluster.RpcEnvelope, payload).calls as RpcMessage[]);
  const receive = (from: string, ...messages: (RpcBody & { id: number })[]) => {
    const handled: RpcMessage[] = [];
    const payload = encode(cluster.RpcEnvelope, {
      format: 1,
      fromNode: from,
      startCounter: 9,
      calls: messages as cluster.Rpc.$Properties[],
    });
    hub.receive(from, payload, (_, message) => void handled.push(message));
    return handled;
  };
  return { world, hub, sent, calls, receive };
}

const question: RpcBody = { readRequest: { group: 1, get: { key: utf8('k') } } };
const answer: RpcBody = { readReply: { more: true } };

describe('a call to another node', () => {
  it('resolves with its reply, once', async () => {
    const { world, hub, calls, receive } = fixture();
    const reply = hub.call('other', 'consensus', question, 1_000);
    world.turn();
    const [call] = calls() as [RpcMessage];
    expect(receive('other', { id: call.id + 5, ...answer }, { id: call.id, ...answer })).toEqual(
      [],
    );
    expect((await reply)?.readReply?.more).toBe(true);
    expect(world.timersPending).toBe(0);
    receive('other', { id: call.id, ...answer });
  });

  it('resolves with nothing at its deadline', async () => {
    const { world, hub } = fixture();
    const early = hub.call('other', 'consensus', question, 1_000);
    const late = hub.call('other', 'consensus', question, 5_000);
    world.pass(1_000);
    expect(await early).toBeUndefined();
    let isOver = false;
    void late.then(() => {
      isOver = true;
    });
    await settled();
    expect(isOver).toBe(false);
    world.pass(4_000);
    expect(await late).toBeUndefined();
  });

  it('resolves with nothing when its node’s connection closes, and only then', async () => {
    const { world, hub } = fixture();
    const gone = hub.call('gone', 'consensus', question, 60_000);
    const here = hub.call('here', 'consensus', question, 60_000);
    hub.nodeUnreachable('gone');
    expect(await gone).toBeUndefined();
    expect(world.timersPending).toBe(1);
    hub.close();
    expect(await here).toBeUndefined();
    expect(world.timersPending).toBe(0);
  });

  it('is answered under its number', () => {
    const { world, hub, calls } = fixture();
    const body = encode(cluster.RpcEnvelope, {
      fromNode: 'other',
      startCounter: 7,
      calls: [{ id: 12, ...question } as cluster.Rpc.$Properties],
    });
    hub.receive('other', body, (from, message, reply) => {
      expect(from).toEqual({ node: 'other', startCounter: 7 });
      expect(message.readRequest?.group).toBe(1);
      reply(answer);
    });
    world.turn();
    expect(calls().map(({ id, readReply }) => [id, readReply?.more])).toEqual([[12, true]]);
  });
});

describe('an answer to an earlier run of this node', () => {
  it('reaches nobody: numbers are not used again', () => {
    const before = fixture(1);
    const after = fixture(2);
    const stale = before.hub.newId();
    const own = after.hub.newId();
    expect(
      after.receive('other', { id: stale, forwardReply: { group: 1, number: 1, status: 1 } }),
    ).toEqual([]);
    expect(
      after.receive('other', { id: own, forwardReply: { group: 1, number: 1, status: 1 } }),
    ).toHaveLength(1);
    expect(stale).not.toBe(own);
  });

  it('cannot be told apart for numbers above 2^53 only', () => {
    for (const startCounter of [1, 0xf_ffff, 0x10_0000, 0xffff_ffff]) {
      expect(Number.isSafeInteger(fixture(startCounter).hub.newId() + 0xffff_ffff)).toBe(true);
    }
  });
});

describe('messages of one turn', () => {
  it('leave together, one envelope to each node and channel, and say how far the sender is', () => {
    const { world, hub, sent } = fixture();
    hub.post('a', 'consensus', 1, question);
    hub.post('b', 'consensus', 2, question);
    hub.post('a', 'bulk', 3, question);
    hub.post('a', 'consensus', 4, question);
    expect(sent).toEqual([]);
    world.turn();
    expect(
      sent.map(({ node, channel, payload }) => [
        node,
        channel,
        decode(cluster.RpcEnvelope, payload).calls.length,
      ]),
    ).toEqual([
      ['a', 'consensus', 2],
      ['b', 'consensus', 1],
      ['a', 'bulk', 1],
    ]);
    const { fromNode, startCounter, syncedRound } = decode(
      cluster.RpcEnvelope,
      sent[0]?.payload as Uint8Array,
    );
    expect([fromNode, startCounter, syncedRound]).toEqual(['me', 1, 42]);
  });

  it('are cut into envelopes of at most 1 MiB, or one call, in order', () => {
    const { world, hub, sent, calls } = fixture();
    const sizes = [300, 300, 300, 300, 1_500, 10, 10];
    for (const [id, size] of sizes.entries()) {
      hub.post('a', 'consensus', id, { forwardRequest: { batch: new Uint8Array(size * 1024) } });
    }
    world.turn();
    for (const { payload } of sent) {
      const { calls: inside } = decode(cluster.RpcEnvelope, payload);
      expect(payload.length <= 1024 * 1024 || inside.length === 1).toBe(true);
    }
    expect(calls().map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(sent.length).toBeLessThan(sizes.length);
  });

  it('of somebody who speaks for another node are refused', () => {
    const { hub } = fixture();
    const payload = encode(cluster.RpcEnvelope, { fromNode: 'victim', calls: [] });
    expect(() => hub.receive('liar', payload, () => {})).toThrow(ProtocolError);
    expect(() => hub.receive('liar', Uint8Array.of(0xff, 0xff), () => {})).toThrow(ProtocolError);
  });
});
