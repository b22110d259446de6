import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConnectOptions,
  connect,
  publish,
  pubrel,
  type Received,
  subscribe,
  unsubscribe,
} from '../support/mqtt-frames.ts';
import { as, FakeUsers } from './fake-users.ts';
import { type Harness, type RawClient, settle, startBroker } from './harness.ts';

/** What others have stored and publish, and what the restricted user sends. */
const SECRET = 'SECRET';
const MINE = 'MINE';

const RULES = [
  { name: 'cross', filter: 'plant1/cross/#', key: 'plant2/$1' },
  { name: 'rest', filter: '#', key: '$topic' },
].map((rule) => ({
  except: [],
  value: '',
  time: '',
  timeUnit: '',
  timeZone: '',
  ...rule,
}));

const name = fc.constantFrom(
  ...['plant1', 'plant1/a', 'plant1/cross/a', 'plant1//', 'plant2/a', 'plant2', 'plant10/a'],
  ...['plant1/b', 'plant1/a', 'plant1/c/d', 'a', '/plant1/a', 'plant1 /a', '$x/a', '$SYS/a', ''],
);
const filter = fc.constantFrom(
  ...['#', '+/#', '+', '+/a', '+/+', 'plant1/#', 'plant1/+', 'plant1/a', 'plant2/#', 'plant2/a'],
  ...['plant10/#', '$x/#', '$SYS/#', '/#', 'plant1'],
);
const prefix = fc.constantFrom(
  ...['', '', 'dss/value/', 'dss/watch/', 'dss/', '+/', '+/value/', '+/+/', 'dss/+/'],
  ...['dss/sys/', 'dss/reply/', 'dss/put/', '$share/g/'],
);
/** At QoS 0 nobody is thrown out. */
const qos = fc.constantFrom(0, 0, 0, 1, 2);

/** A PUBLISH of any verb, or to an ordinary topic, some of them to read and some to write elsewhere. */
const publication = fc
  .record({
    verb: fc.constantFrom('put', 'delete', 'batch', 'cas', 'get', 'list', 'range', 'history', '-'),
    name,
    other: name,
    reply: fc.option(name),
    extra: fc.constantFrom({}, { values: true }, { delete: true }),
  })
  .map(({ verb, name: target, other, reply, extra }) => {
    if (verb === '-') return { topic: target, payload: MINE };
    const topic = target === '' ? `dss/${verb}` : `dss/${verb}/${target}`;
    const address = reply === null ? {} : { reply };
    const payload = {
      put: MINE,
      delete: '',
      batch: JSON.stringify([
        { key: 'plant1/ok', value: MINE },
        { key: other, value: MINE },
      ]),
      cas: JSON.stringify({
        if: null,
        ...('delete' in extra ? extra : { value: MINE }),
        ...address,
      }),
      get: JSON.stringify(address),
      list: JSON.stringify({ ...('values' in extra ? extra : {}), ...address }),
      range: JSON.stringify({ from: other, ...address }),
      history: JSON.stringify(address),
    }[verb] as string;
    return { topic, payload };
  })
  .filter(({ topic }) => topic !== '');

type Step =
  | { readonly kind: 'publish'; topic: string; payload: string; qos: number; retain: boolean }
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly filter: string; readonly qos: number }
  | { readonly kind: 'others'; readonly name: string; readonly retain: boolean }
  | { readonly kind: 'reconnect'; readonly options: ConnectOptions };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(publication, qos, fc.boolean())
    .map(([sent, level, retain]) => ({ kind: 'publish', ...sent, qos: level, retain }) as const),
  fc.record({
    kind: fc.constantFrom('subscribe', 'subscribe', 'unsubscribe'),
    filter: fc.tuple(prefix, filter).map(([first, rest]) => first + rest),
    qos,
  }),
  fc.record({
    kind: fc.constant('others' as const),
    name: fc.constantFrom('plant2/a', 'plant10/a', 'a', '$x/a', 'plant1/a'),
    retain: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('reconnect' as const),
    options: fc.record({
      clientId: fc.constantFrom('sensor', 'shared'),
      clean: fc.boolean(),
      level: fc.constantFrom(3, 4, 0x84),
      will: fc.oneof(
        fc.constant(undefined),
        fc.tuple(publication, fc.boolean()).map(([will, retain]) => ({ ...will, retain })),
      ),
    }) as fc.Arbitrary<ConnectOptions>,
  }),
);

/** A user with rights on `plant1/#` who tries everything; comes back whenever it was thrown out. */
class Intruder {
  readonly seen: Extract<Received, { type: 'publish' }>[] = [];
  readonly #harness: Harness;
  #client: RawClient | undefined;
  #packetId = 0;

  constructor(harness: Harness) {
    this.#harness = harness;
  }

  async send(bytes: (packetId: number) => Buffer): Promise<void> {
    if (this.#client === undefined || this.#client.closed) await this.reconnect({});
    this.#packetId = (this.#packetId % 1_000) + 1;
    this.#client?.send(bytes(this.#packetId));
    await settle(8);
    await this.#look();
  }

  /** A will that is not allowed keeps it out, so that it comes without. */
  async reconnect(options: ConnectOptions): Promise<void> {
    this.#client?.cut();
    await settle(8);
    await this.#look();
    // Nobody stays barred for longer.
    this.#harness.time.advance(100_000);
    const client = this.#harness.open();
    client.send(connect(as('sensor', options)));
    this.#client = client;
    const { code } = await client.take('connack');
    if (code !== 0) return this.reconnect({});
    client.send(subscribe(65_535, ['dss/reply/me', 0], ['dss/error/me', 0], ['+/#', 1]));
    await client.take('suback');
    await settle(8);
  }

  async end(): Promise<void> {
    this.#client?.cut();
    await settle();
    await this.#look();
  }

  async #look(): Promise<void> {
    for (const packet of this.#client?.received.splice(0) ?? []) {
      if (packet.type === 'publish') this.seen.push(packet);
      if (packet.type === 'pubrec') this.#client?.send(pubrel(packet.id));
    }
  }
}

const isInside = (key: string) => key === 'plant1' || key.startsWith('plant1/');

function mayBeSeen(topic: string): boolean {
  if (/^dss\/(reply|error)\/me$/.test(topic)) return true;
  if (topic.startsWith('dss/sys/')) return !topic.startsWith('dss/sys/refused');
  const value = /^dss\/(?:value|watch)\/(.*)$/s.exec(topic);
  return isInside(value?.[1] ?? topic);
}

async function stored({ plane }: Harness): Promise<Map<string, string>> {
  const none = new Uint8Array(0);
  const page = await plane.list({ prefix: none, after: none, limit: 1_000, values: true });
  const items = page.kind === 'page' ? page.items : [];
  return new Map(
    items.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
  );
}

/** A house with secrets outside of `plant1`, and an administrator who sees every ordinary message. */
async function house() {
  const authenticator = new FakeUsers({
    sensor: { read: ['plant1/#'], write: ['plant1/#'] },
    admin: { read: ['#'], write: ['#'] },
  });
  const harness = await startBroker({ authenticator });
  for (const key of ['plant2/a', 'plant2', 'plant10/a', 'a', '/plant1/a', '$x/a']) {
    harness.plane.store(key, SECRET);
  }
  harness.plane.store('plant1/a', 'known');
  const admin = await harness.connect(as('admin'));
  admin.send(subscribe(1, ['#', 0], ['$x/#', 0]));
  await admin.take('suback');
  const shared = await harness.connect(as('admin', { clientId: 'shared', clean: false }));
  shared.send(subscribe(1, ['#', 1], ['dss/value/#', 1]));
  await shared.take('suback');
  shared.cut();
  admin.send(publish('plant2/a', SECRET, { qos: 1, retain: true }));
  await admin.take('puback');
  harness.broker.useIngestRules(RULES);
  await settle();
  return { harness, admin };
}

async function carryOut(harness: Harness, admin: RawClient, intruder: Intruder, what: Step) {
  switch (what.kind) {
    case 'publish': {
      const { topic, payload, qos: level, retain } = what;
      await intruder.send((id) => publish(topic, payload, { qos: level, id, retain }));
      return;
    }
    case 'subscribe':
      await intruder.send((id) => subscribe(id, [what.filter, what.qos]));
      return;
    case 'unsubscribe':
      await intruder.send((id) => unsubscribe(id, what.filter));
      return;
    case 'others': {
      const text = isInside(what.name) ? 'known' : SECRET;
      harness.plane.store(what.name, text);
      admin.send(publish(what.name, text, { qos: 1, retain: what.retain }));
      await settle(8);
      return;
    }
    case 'reconnect':
      await intruder.reconnect(what.options);
  }
}

describe('a user with rights on plant1/#', () => {
  it('neither reads nor writes anything else, whatever it tries', async () => {
    let seenInside = 0;
    let writtenInside = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      async (steps) => {
        const { harness, admin } = await house();
        const intruder = new Intruder(harness);
        await intruder.reconnect({});
        for (const what of steps) await carryOut(harness, admin, intruder, what);
        await intruder.end();
        for (const { topic, payload } of intruder.seen) {
          expect(mayBeSeen(topic), topic).toBe(true);
          expect(payload).not.toContain(SECRET);
        }
        for (const [key, value] of await stored(harness)) {
          if (!isInside(key)) expect([key, value]).toEqual([key, SECRET]);
          else writtenInside += 1;
        }
        for (const packet of await admin.all('publish')) {
          const isMine = packet.payload.includes(MINE) && !packet.topic.startsWith('dss/sys/');
          if (isMine) expect(mayBeSeen(packet.topic), packet.topic).toBe(true);
        }
        seenInside += intruder.seen.length;
        await harness.broker.close();
      },
    );
    await fc.assert(property, { numRuns: 80 });
    // It was let do something.
    expect(seenInside).toBeGreaterThan(100);
    expect(writtenInside).toBeGreaterThan(100);
  });
});
