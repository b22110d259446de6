import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_INGEST_LIMITS } from '../../../broker/ingest-rules/ingest-message.ts';
import { parseIngestRule } from '../../../broker/ingest-rules/rule.ts';
import { Source } from '../../../node/beside/source.ts';
import { FakeDataPlane } from '../../support/fake-data-plane.ts';
import { FakeEnv } from '../fake-env.ts';
import { FakeBrokers, target } from './fake-brokers.ts';

function rule(given: object) {
  const parsed = parseIngestRule(given);
  if ('wrong' in parsed) throw new Error(parsed.wrong);
  return parsed.value;
}

describe('a source', () => {
  let fake: FakeEnv;
  let brokers: FakeBrokers;
  let plane: FakeDataPlane;
  let source: Source;

  beforeEach(() => {
    fake = new FakeEnv();
    brokers = new FakeBrokers();
    plane = new FakeDataPlane();
    plane.hold = true;
    const rules = [
      rule({ filter: 'tele/+/SENSOR', key: 'plant/$1', value: 'temp' }),
      rule({ filter: 'zigbee/+/state', value: 'state' }),
      rule({ filter: 'zigbee/#', except: 'zigbee/bridge/#' }),
    ];
    source = new Source({
      env: fake.env,
      brokers,
      link: { kind: 'source', name: 'workshop', target, rules },
      clientId: 'dss-cluster-workshop',
      dataPlane: plane,
      limits: DEFAULT_INGEST_LIMITS,
    });
    source.start();
    brokers.last.events.connected();
  });

  const stored = () => plane.writes.map(({ key, value }) => `${key}=${value}`);
  const reconnected = () => {
    fake.pass(3_000);
    expect(brokers.connections).toHaveLength(2);
    brokers.last.events.connected();
    return brokers.last;
  };

  it('has its session kept there, and subscribes to what its rules match, once', () => {
    expect(brokers.last.options).toMatchObject({
      clientId: 'dss-cluster-workshop',
      session: 'kept',
      filters: ['tele/+/SENSOR', 'zigbee/#'],
    });
    expect(source.progress).toMatchObject({ connected: true, messages: 0, error: '' });
  });

  it('stores what its rules make of a message, by default under its topic', () => {
    brokers.last.send('tele/a/SENSOR', '{"temp":21.5}');
    brokers.last.send('zigbee/lamp', 'ON');
    expect(stored()).toEqual(['plant/a=21.5', 'zigbee/lamp=ON']);
  });

  it('acknowledges what is committed, and only in the order of arrival', () => {
    for (const value of ['1', '2', '3']) brokers.last.send('zigbee/x', value);
    plane.commit(plane.held[1]);
    expect(brokers.last.acknowledged).toEqual([]);
    plane.commit();
    expect(brokers.last.acknowledged).toEqual([1, 2]);
    plane.commit();
    expect(brokers.last.acknowledged).toEqual([1, 2, 3]);
    expect(source.progress.messages).toBe(3);
  });

  it('acknowledges what no rule makes a value of, in its turn', () => {
    brokers.last.send('zigbee/x', '1');
    brokers.last.send('zigbee/bridge/log', 'noise');
    brokers.last.send('tele/a/SENSOR', 'not JSON');
    expect(brokers.last.acknowledged).toEqual([]);
    plane.commitAll();
    expect(brokers.last.acknowledged).toEqual([1, 2, 3]);
    expect(source.progress).toMatchObject({ messages: 3, ignored: 2 });
  });

  it('stores what came at QoS 0, and acknowledges nothing for it', () => {
    brokers.last.send('zigbee/x', '1', 0);
    plane.commitAll();
    expect(stored()).toEqual(['zigbee/x=1']);
    expect(brokers.last.acknowledged).toEqual([]);
  });

  it('has everything from a failed write on sent again, by connecting again', () => {
    for (const value of ['1', '2', '3']) brokers.last.send('zigbee/x', value);
    const [first] = brokers.connections;
    plane.commit();
    plane.fail('no-quorum');
    expect(first?.isClosed).toBe(true);
    // The third was not forwarded yet: it must not come after its own repetition.
    expect(plane.held).toEqual([]);
    expect(source.progress.connected).toBe(false);
    expect(source.progress.error).toMatch(/no quorum/);

    const second = reconnected();
    second.send('zigbee/x', '2');
    second.send('zigbee/x', '3');
    plane.commitAll();
    expect(first?.acknowledged).toEqual([1]);
    expect(second.acknowledged).toEqual([1, 2]);
    expect(plane.value('zigbee/x')).toBe('3');
  });

  it('acknowledges nothing on a new connection that came on the old one', () => {
    brokers.last.send('zigbee/x', '1');
    const [late] = plane.held;
    brokers.last.events.closed('the connection was lost');
    const second = reconnected();
    late?.sink.writeCommitted(late.token, 1);
    expect(second.acknowledged).toEqual([]);
  });

  it('reads no more than it may have under way', () => {
    for (let i = 0; i < 1_000; i += 1) brokers.last.send('zigbee/x', String(i));
    expect(brokers.last.isHeld).toBe(true);
    plane.commit();
    expect(brokers.last.isHeld).toBe(false);
  });

  it('reads no more while the data plane has no room', () => {
    plane.room = false;
    brokers.last.send('zigbee/x', '1');
    expect(brokers.last.isHeld).toBe(true);
    plane.room = true;
    plane.held[0]?.sink.writesDrained();
    expect(brokers.last.isHeld).toBe(false);
  });

  it('tries more and more rarely, reports each reason once, and stops when it is told to', () => {
    for (let i = 0; i < 4; i += 1) {
      brokers.last.events.closed('connect ECONNREFUSED');
      fake.pass(2_000 * 2 ** i);
      expect(brokers.connections).toHaveLength(i + 2);
    }
    const reports = fake.happened.filter(({ name }) => name === 'source-disconnected');
    expect(reports.map(({ message }) => message)).toEqual([
      'the source workshop at mqtt://other:1883: connect ECONNREFUSED',
    ]);
    brokers.last.events.closed('connect ECONNREFUSED');
    source.stop();
    expect(fake.timersPending).toBe(0);
    expect(brokers.connections).toHaveLength(5);
  });
});
