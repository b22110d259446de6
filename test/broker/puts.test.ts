import { describe, expect, it } from 'vitest';
import {
  DISCONNECT,
  PINGREQ,
  publish,
  pubrel,
} from '../support/mqtt-frames.ts';
import { settle, startBroker } from './harness.ts';

describe('puts', () => {
  it('acknowledges a QoS 1 put after its commit and not before', async () => {
    const { plane, connect } = await startBroker();
    plane.hold = true;
    const client = await connect();
    client.send(publish('dss/put/a', '1', { qos: 1, id: 7 }));
    expect(await client.all('puback')).toEqual([]);
    plane.commit();
    expect(await client.take('puback')).toEqual({ type: 'puback', id: 7 });
    expect(plane.value('a')).toBe('1');
  });
  it('pings', async () => {
    const { connect } = await startBroker();
    const client = await connect();
    client.send(PINGREQ);
    await client.take('pingresp');
    client.send(DISCONNECT);
    await client.untilClosed();
  });
});
