import type { SeededRandom } from '../support/random.ts';
import {
  auth,
  connect,
  DISCONNECT,
  disconnect5,
  PINGREQ,
  packet,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribe5,
  unsubscribe,
  unsubscribe5,
  type Version,
} from './packets.ts';

/** What a hostile or broken client sends on one connection, in the pieces in which it sends it. */
export function hostileBytes(random: SeededRandom): Buffer[] {
  const version = random.pick([4, 4, 5, 5, 5] as const);
  const bytes = random.pick([noise, mutatedSession, anyOrder])(random, version);
  const pieces: Buffer[] = [];
  const sizeMax = random.pick([1, 10, 100, 100_000]);
  for (let at = 0; at < bytes.length; ) {
    const size = pieces.length > 50 ? bytes.length : 1 + random.below(sizeMax);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Random bytes: from the start, or after a CONNECT that is accepted. */
function noise(random: SeededRandom, version: Version): Buffer {
  const bytes = randomBytes(random, 1 + random.below(2_000));
  return random.chance(0.5) ? bytes : Buffer.concat([validConnect(random, version), bytes]);
}

/** A session as it should be, with a few bytes changed, lost, doubled or put in. */
function mutatedSession(random: SeededRandom, version: Version): Buffer {
  let bytes: Buffer = Buffer.concat([
    validConnect(random, version),
    ...Array.from({ length: 1 + random.below(20) }, () => anyPacket(random, version)),
    version === 5 ? disconnect5(random.pick([0, 4])) : DISCONNECT,
  ]);
  for (let i = random.below(6); i >= 0; i -= 1) bytes = mutated(random, bytes);
  return bytes;
}

/** Packets that are right each, in an order that is not. */
function anyOrder(random: SeededRandom, version: Version): Buffer {
  const packets = Array.from({ length: 1 + random.below(40) }, () => anyPacket(random, version));
  if (random.chance(0.9)) packets.unshift(validConnect(random, version));
  if (random.chance(0.3)) packets.push(validConnect(random, random.pick([4, 5])));
  if (random.chance(0.3)) packets.push(packet(random.below(256), randomBytes(random, 4)));
  if (random.chance(0.3)) packets.splice(random.below(packets.length), 0, DISCONNECT);
  return Buffer.concat(packets);
}

function mutated(random: SeededRandom, bytes: Buffer): Buffer {
  const at = random.below(bytes.length);
  const count = 1 + random.below(random.pick([2, 20]));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(5)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ (1 << random.below(8));
      return flipped;
    }
    case 1: {
      const changed = Buffer.from(bytes);
      changed[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
      return changed;
    }
    case 2:
      return Buffer.concat([before, after.subarray(count), Buffer.of(0)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, count), after]);
    default:
      return Buffer.concat([before, randomBytes(random, count), after]);
  }
}

/** Few names, so that connections get in each other's way, and what they leave behind is bounded. */
export const FUZZED_IDS = ['', 'f1', 'f2', 'f3', 'f4'];
const TOPICS = [
  'fuzz/a',
  'fuzz/b/c',
  '$SYS/x',
  'dss/put/fuzz',
  'dss/get/fuzz',
  'dss/delete/fuzz',
  'dss/cas/fuzz',
  'dss/batch',
  'dss/list/fuzz',
  'dss/range',
  'dss/history/fuzz',
  'dss/value/fuzz',
  'dss/sys/x',
  'dss/nothing',
];
const FILTERS = [
  'fuzz/#',
  '+/a',
  'dss/value/#',
  'dss/watch/fuzz',
  'dss/reply/me',
  'dss/put/#',
  '#',
];
const PAYLOADS = [
  '',
  '1',
  '{}',
  '{"id":1,"limit":2}',
  '{"if":null,"value":"x"}',
  '[{"key":"fuzz","value":1}]',
  '[{}]',
  '{"reply":"fuzz/a"}',
];

function validConnect(random: SeededRandom, version: Version): Buffer {
  const topic = random.pick(TOPICS);
  const id = random.pick(FUZZED_IDS);
  return connect({
    version,
    id,
    clean: id === '' || random.chance(0.5),
    keepAliveSeconds: random.below(3),
    will: random.chance(0.3) ? { topic, payload: 'w', qos: 1, retain: true } : undefined,
    ...(random.chance(0.3) ? { properties: { sessionExpiry: 10, receiveMaximum: 2 } } : {}),
  });
}

function anyPacket(random: SeededRandom, version: Version): Buffer {
  const id = 1 + random.below(random.pick([3, 65_535]));
  const filters = Array.from({ length: 1 + random.below(3) }, () => random.pick(FILTERS));
  const options = filters.map((filter) => [filter, random.below(3)] as const);
  const acknowledge = random.pick([puback, pubrec, pubrel, pubcomp]);
  switch (random.below(9)) {
    case 0:
      return version === 5 ? subscribe5(id, {}, ...options) : subscribe(id, ...options);
    case 1:
      return version === 5 ? unsubscribe5(id, ...filters) : unsubscribe(id, ...filters);
    case 2:
      return PINGREQ;
    case 3:
    case 4:
      return acknowledge(id, version === 5 && random.chance(0.3) ? 0x80 : undefined);
    case 5:
      return version === 5 && random.chance(0.1) ? auth(0x18, {}) : PINGREQ;
    default:
      return anyPublish(random, version, id);
  }
}

function anyPublish(random: SeededRandom, version: Version, id: number): Buffer {
  const [payload, alias] = [random.pick(PAYLOADS), random.below(40)];
  return publish(random.pick(TOPICS), random.chance(0.02) ? Buffer.alloc(70_000) : payload, {
    version,
    qos: random.below(3),
    id,
    retain: random.chance(0.1),
    dup: random.chance(0.1),
    ...(random.chance(0.5)
      ? { properties: { messageExpiry: 1, user: [['ttl', '1']], topicAlias: alias } }
      : {}),
  });
}

function randomBytes(random: SeededRandom, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.below(256)));
}
