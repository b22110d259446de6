import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Listener,
  PROTOCOLS,
  ScriptClient,
  send,
  untilRetained,
  untilTrue,
  VERSIONS,
} from './support/ordinary-clients.ts';
import { runProcess } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

const COUNT = 300;
const TAKEN_OVER = 0x8e;

// What one broker does for its clients, three nodes do too: publisher and subscriber are never at the same node.
describe('three nodes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(() => cluster?.close());
  printLogsOnFailure(() => cluster);

  const n1 = () => cluster.node(0);
  const n2 = () => cluster.node(1);
  const n3 = () => cluster.node(2);

  describe('messages', () => {
    it.each(PROTOCOLS)(
      'come in the order of each publisher, MQTT.js with protocol %i',
      async (protocol) => {
        const filter = `order${protocol}/#`;
        const subscribers = [
          await ScriptClient.connect(n2(), 4),
          await ScriptClient.connect(n3(), 5),
        ];
        for (const { client } of subscribers) await client.subscribeAsync(filter, { qos: 2 });
        const publishers = [
          await ScriptClient.connect(n1(), protocol),
          await ScriptClient.connect(n1(), protocol),
        ];
        const sent: Promise<unknown>[] = [];
        for (let number = 0; number < COUNT; number += 1) {
          for (const [index, { client }] of publishers.entries()) {
            for (const qos of [0, 1, 2] as const) {
              const topic = `order${protocol}/${index}/${qos}`;
              sent.push(client.publishAsync(topic, String(number), { qos }));
            }
          }
        }
        await Promise.all(sent);
        const expected = Array.from({ length: COUNT }, (_, number) => String(number));
        for (const subscriber of subscribers) {
          await subscriber.until('all', ({ length }) => length === COUNT * publishers.length * 3);
          for (const qos of [0, 1, 2]) {
            for (const index of publishers.keys()) {
              const topic = `order${protocol}/${index}/${qos}`;
              const got = subscriber.packets.filter((packet) => packet.topic === topic);
              expect(
                got.map(({ payload }) => payload.toString()),
                topic,
              ).toEqual(expected);
              expect(got.every((packet) => packet.qos === qos && !packet.retain)).toBe(true);
            }
          }
        }
        await Promise.all([...subscribers, ...publishers].map((each) => each.leave()));
      },
    );

    it.each(VERSIONS)(
      'go from Mosquitto’s programs to all of them, with -V %s',
      async (version) => {
        const listeners = await Promise.all(
          VERSIONS.map((each) =>
            Listener.start({
              node: n3(),
              version: each,
              filter: `${version}/+/x`,
              format: '%q|%t|%p',
            }),
          ),
        );
        for (const qos of ['0', '1', '2']) {
          await send(n1(), `${version}/${qos}/x`, `at ${qos}`, '-V', version, '-q', qos);
        }
        for (const listener of listeners) {
          await listener.until(`2|${version}/2/x|at 2`);
          expect(listener.messages).toEqual(
            [0, 1, 2].map((qos) => `${qos}|${version}/${qos}/x|at ${qos}`),
          );
          await listener.leave();
        }
      },
    );

    it('carry their properties from MQTT 5 to MQTT 5, and none to 3.1.1', async () => {
      const filter = 'props/#';
      const format = '%t|%p|%P|%C|%R|%F';
      const five = await Listener.start({ node: n2(), version: 'mqttv5', filter, format });
      const three = await Listener.start({ node: n3(), version: 'mqttv311', filter });
      const script = await ScriptClient.connect(n3(), 5);
      await script.client.subscribeAsync(filter, { qos: 1 });
      const properties = [
        ...['-D', 'publish', 'user-property', 'line', '3'],
        ...['-D', 'publish', 'user-property', 'line', '4'],
        ...['-D', 'publish', 'content-type', 'text/plain'],
        ...['-D', 'publish', 'response-topic', 'props-answer'],
        ...['-D', 'publish', 'payload-format-indicator', '1'],
        ...['-D', 'publish', 'message-expiry-interval', '600'],
      ];
      await send(n1(), 'props/a', '21', '-V', 'mqttv5', ...properties);
      await five.until('props/a|21|line:3 line:4|text/plain|props-answer|1');
      await three.until('0|props/a|21');
      await script.until('it', ({ length }) => length === 1);
      const { messageExpiryInterval: left = 0, ...rest } = script.packets[0]?.properties ?? {};
      expect(rest).toMatchObject({
        userProperties: { line: ['3', '4'] },
        contentType: 'text/plain',
        responseTopic: 'props-answer',
        payloadFormatIndicator: true,
      });
      expect(left).toBeGreaterThan(590);
      expect(left).toBeLessThanOrEqual(600);
      await Promise.all([five.leave(), three.leave(), script.leave()]);
    });

    it('are asked and answered by mosquitto_rr', async () => {
      const responder = await ScriptClient.connect(n2(), 5);
      responder.client.on('message', (_topic, payload, { properties }) => {
        const { responseTopic = '', correlationData } = properties ?? {};
        const back = correlationData === undefined ? {} : { correlationData };
        responder.client.publish(responseTopic, `${payload} answered`, {
          qos: 1,
          properties: back,
        });
      });
      await responder.client.subscribeAsync('rpc/ask', { qos: 1 });
      const asked = ['-V', 'mqttv5', '-q', '1', '-t', 'rpc/ask', '-e', 'rpc/answer', '-m', 'ping'];
      const correlation = ['-D', 'publish', 'correlation-data', 'c-17', '-F', '%p|%D', '-W', '10'];
      const port = ['-p', String(n1().mqttPort)];
      const { code, stdout } = await runProcess('mosquitto_rr', [
        ...port,
        ...asked,
        ...correlation,
      ]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'ping answered|c-17' });
      await responder.leave();
    });
  });

  describe('retained messages', () => {
    it('are given to whoever subscribes at another node, until they are cleared', async () => {
      const live = await Listener.start({ node: n3(), version: 'mqttv311', filter: 'kept/#' });
      await send(n1(), 'kept/a', '1', '-r', '-q', '0');
      await send(n1(), 'kept/b', '1', '-r', '-V', 'mqttv5');
      await send(n2(), 'kept/b', '2', '-r', '-V', 'mqttv31');
      for (const node of [n1(), n2(), n3()]) {
        await untilRetained(node, 'kept/#', { 'kept/a': '1', 'kept/b': '2' });
      }
      await send(n3(), 'kept/a', '', '-r');
      for (const node of [n1(), n2(), n3()]) await untilRetained(node, 'kept/#', { 'kept/b': '2' });
      await live.until('0|kept/a|');
      expect(live.messages).toEqual(['0|kept/a|1', '0|kept/b|1', '0|kept/b|2', '0|kept/a|']);
      await live.leave();
    });

    it('are gone everywhere when they have expired', async () => {
      const expiry = ['-D', 'publish', 'message-expiry-interval'];
      await send(n1(), 'brief/a', 'x', '-r', '-V', 'mqttv5', ...expiry, '2');
      await send(n1(), 'brief/b', 'y', '-r', '-V', 'mqttv5', ...expiry, '600');
      await untilRetained(n2(), 'brief/#', { 'brief/a': 'x', 'brief/b': 'y' });
      for (const node of [n2(), n3()]) await untilRetained(node, 'brief/#', { 'brief/b': 'y' });
    });
  });

  describe('a session', () => {
    it.each(PROTOCOLS)(
      'of MQTT.js %i goes from node to node with what came meanwhile',
      async (protocol) => {
        const clientId = `walker${protocol}`;
        const topic = `walk${protocol}/x`;
        const first = await ScriptClient.persistent(n1(), protocol, { clientId });
        expect(first.sessionPresent).toBe(false);
        await first.client.subscribeAsync(topic, { qos: 2 });
        await send(n3(), topic, 'while there', '-q', '2');
        await first.until('what was sent while it was there', (all) => all.includes('while there'));
        await first.leave();
        for (const qos of ['0', '1', '2']) await send(n2(), topic, `away ${qos}`, '-q', qos);

        const second = await ScriptClient.persistent(n3(), protocol, { clientId });
        expect(second.sessionPresent).toBe(true);
        await second.until('what was queued', (all) => all.includes('away 2'));
        await send(n1(), topic, 'back');
        await second.until('what comes now', (all) => all.includes('back'));
        expect(second.payloads).toEqual(['away 1', 'away 2', 'back']);
        await second.leave();

        const cleared = await ScriptClient.connect(n2(), protocol, { clientId });
        expect(cleared.sessionPresent).toBe(false);
        await cleared.leave();
      },
    );

    it.each(VERSIONS)('of mosquitto_sub -V %s goes from node to node', async (version) => {
      const [filter, flags] = [`${version}/away`, ['-c', '-i', `sub-${version}`]];
      const first = await Listener.start({ node: n1(), version, filter, flags });
      await first.leave();
      await send(n2(), filter, 'one');
      await send(n3(), filter, 'two', '-q', '2');
      const second = await Listener.start({ node: n3(), version, filter, flags });
      await second.until(`0|${filter}|two`);
      expect(second.messages).toEqual([`0|${filter}|one`, `0|${filter}|two`]);
      await second.leave();
    });

    it('takes what its client did not acknowledge along', async () => {
      const clientId = 'forgetful';
      const deaf = await ScriptClient.persistent(n1(), 4, { clientId, acknowledges: false });
      await deaf.client.subscribeAsync('unacknowledged', { qos: 2 });
      await send(n2(), 'unacknowledged', 'once');
      await send(n2(), 'unacknowledged', 'twice', '-q', '2');
      await deaf.until('the first', ({ length }) => length > 0);
      await deaf.vanish();
      const back = await ScriptClient.persistent(n3(), 4, { clientId });
      await back.until('both', (all) => all.includes('twice'));
      expect(back.payloads).toEqual(['once', 'twice']);
      expect(back.packets[0]?.dup).toBe(true);
      await back.leave();
    });

    it('is taken over by another node, which is told to a client of MQTT 5', async () => {
      for (const [index, protocol] of PROTOCOLS.entries()) {
        const clientId = `wanted${protocol}`;
        const first = await ScriptClient.persistent(n1(), protocol, { clientId });
        await first.client.subscribeAsync('wanted', { qos: 1 });
        const second = await ScriptClient.persistent(n2(), protocol, { clientId });
        await first.closed;
        expect(first.reasonCode).toBe([undefined, TAKEN_OVER][index]);
        expect(second.sessionPresent).toBe(true);
        await send(n3(), 'wanted', 'for one');
        await second.until('the message', ({ length }) => length > 0);
        expect(first.packets).toEqual([]);
        await second.leave();
      }
    });
  });

  it('publish the will of a client that is lost, and not of one that leaves', async () => {
    const witness = await ScriptClient.connect(n3(), 5);
    await witness.client.subscribeAsync('wills/#', { qos: 1 });
    for (const version of VERSIONS) {
      const will = (topic: string) => [
        ...['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1', '--will-retain'],
      ];
      await send(n1(), 'x', 'it leaves', '-V', version, ...will(`wills/left/${version}`));
      const flags = will(`wills/lost/${version}`);
      const lost = await Listener.start({ node: n1(), version, filter: 'x', flags });
      await lost.kill();
      await witness.until(`the will of ${version}`, ({ length }) => length > 0);
      const topics = witness.packets.splice(0).map(({ topic }) => topic);
      expect(topics).toEqual([`wills/lost/${version}`]);
    }
    const expected = VERSIONS.map((version) => [`wills/lost/${version}`, 'gone']);
    await untilRetained(n2(), 'wills/#', Object.fromEntries(expected));
    await witness.leave();
  });

  describe('a shared subscription', () => {
    it('has members at all nodes, each message goes to one of them', async () => {
      const members = [
        await ScriptClient.connect(n1(), 5),
        await ScriptClient.connect(n2(), 4),
        await ScriptClient.connect(n3(), 5),
      ];
      for (const { client } of members) await client.subscribeAsync('$share/g/jobs/#', { qos: 1 });
      const publisher = await ScriptClient.connect(n2(), 4);
      const jobs = Array.from({ length: 60 }, (_, number) => String(number));
      await Promise.all(
        jobs.map((job) => publisher.client.publishAsync(`jobs/${job}`, job, { qos: 1 })),
      );
      const done = () => members.flatMap(({ payloads }) => payloads);
      await untilTrue('all are done', () => done().length >= jobs.length);
      expect(done().sort()).toEqual([...jobs].sort());
      for (const { payloads } of members) expect(payloads.length).toBeGreaterThan(10);
      await Promise.all([...members, publisher].map((each) => each.leave()));
    });

    it('of values gives each key to one member, always the same', async () => {
      const filter = '$share/g/dss/value/shared/#';
      await send(n1(), 'dss/put/shared/before', 'not a change');
      const members = [
        await ScriptClient.connect(n1(), 4),
        await ScriptClient.connect(n2(), 5),
        await ScriptClient.connect(n3(), 4),
      ];
      for (const { client } of members) await client.subscribeAsync(filter, { qos: 1 });
      const publisher = await ScriptClient.connect(n3(), 4);
      const keys = Array.from({ length: 30 }, (_, number) => `shared/${number}`);
      for (const round of ['1', '2', '3']) {
        await Promise.all(
          keys.map((key) => publisher.client.publishAsync(`dss/put/${key}`, round, { qos: 1 })),
        );
        await untilTrue(`round ${round}`, () => {
          const got = members.flatMap(({ payloads }) => payloads);
          return got.filter((payload) => payload === round).length >= keys.length;
        });
      }
      const got = members.flatMap(({ packets }) => packets.map(({ topic }) => topic));
      expect(got.length).toBe(keys.length * 3);
      for (const { packets } of members) {
        const topics = packets.map(({ topic }) => topic);
        expect(topics.length).toBeGreaterThan(0);
        expect(topics.length).toBe(new Set(topics).size * 3);
        expect(packets.some(({ retain }) => retain)).toBe(false);
      }
      await Promise.all([...members, publisher].map((each) => each.leave()));
    });
  });
});
