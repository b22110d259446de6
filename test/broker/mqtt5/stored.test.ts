import { describe, expect, it } from 'vitest';
import type { IngestRule } from '../../../broker/ingest-rules/rule.ts';
import { ack5, publish5, short, subscribe5, user } from '../../support/mqtt5-frames.ts';
import { startBroker } from '../harness.ts';

const REST = { except: [], key: '', value: '', time: '', timeUnit: '', timeZone: '' };
const RAW: IngestRule = { name: 'raw', filter: 'raw/#', ...REST };

describe('an ordinary message of MQTT 5 that an ingest rule stores', () => {
  const start = async () => {
    const harness = await startBroker();
    harness.broker.useIngestRules([RAW]);
    const client = await harness.connect5();
    client.send(subscribe5(1, [['raw/#', 2]]));
    await client.take('suback');
    return { ...harness, client };
  };

  it.each([1, 2])('is delivered at once and acknowledged when stored, at QoS %i', async (qos) => {
    const { plane, client } = await start();
    plane.hold = true;
    const props = [user('k', 'v'), short(0x23, 1)];
    client.send(publish5('raw/a', 'first', { qos, id: 7, props }));
    const delivered = await client.take('publish');
    expect(delivered).toMatchObject({ payload: 'first', props: { user: [['k', 'v']] } });
    expect(client.received).toEqual([]);
    plane.commit();
    expect(await client.take(qos === 1 ? 'puback' : 'pubrec')).toMatchObject({ id: 7, code: 0 });
    expect(plane.value('raw/a')).toBe('first');
    if (qos === 1) return;
    client.send(ack5(0x62, 7, 0));
    expect(await client.take('pubcomp')).toMatchObject({ id: 7, code: 0 });
  });

  it('ends the connection when there is no room to store what was delivered', async () => {
    const { plane, client } = await start();
    plane.full = true;
    client.send(publish5('raw/a', '1', { qos: 1, id: 7 }));
    await client.untilClosed();
    const told = client.received.filter(({ type }) => type !== 'publish');
    expect(told).toMatchObject([{ type: 'disconnect', code: 0x97 }]);
  });

  it('waits for the rules with its alias', async () => {
    const harness = await startBroker({ ingestRulesKnownFrom: 'useIngestRules' });
    const client = await harness.connect5();
    client.send(publish5('raw/a', '1', { qos: 1, id: 1, props: [short(0x23, 1)] }));
    client.send(publish5('', '2', { qos: 1, id: 2, props: [short(0x23, 1)] }));
    expect(await client.all('puback')).toEqual([]);
    harness.broker.useIngestRules([RAW]);
    await client.take('puback');
    await client.take('puback');
    expect(harness.plane.writes.map(({ value }) => value.toString())).toEqual(['1', '2']);
  });
});
