import { expect } from 'vitest';
import { encode, kv } from '../../../protos/index.ts';
import { eventually } from '../../support/eventually.ts';
import { type Gathered, gather } from './clients.ts';
import type { Answer, Described, PatientClient } from './patient-client.ts';
import type { ClusterNode } from './test-cluster.ts';

const HOUR_MS = 3_600_000;
/** No UTF-8. */
const BINARY = Buffer.of(0xff, 0x00, 0xfe);
const BURST = 120;
const INCREMENTS = 20;

/** The keys of the scenario below the prefix; where they are is up to the test. */
export const KEY_NAMES = [
  ...['temp', 'note', 'blob', 'object', 'late', 'device', 'door', 'plain', 'counter', 'leader'],
] as const;
type KeyName = (typeof KEY_NAMES)[number];

export interface Stage {
  readonly client: PatientClient;
  /** The second one of two that compete. */
  readonly rival: PatientClient;
  /** Where subscribers are; it is not killed. */
  readonly window: ClusterNode;
  /** Whole levels; every key of the scenario is below it. */
  readonly prefix: string;
  readonly keys: Readonly<Record<KeyName, string>>;
  /** Set: called in the middle of what this is about. Then puts may be stored twice, and nothing is lost. */
  readonly disturb?: (moment: 'burst' | 'increments') => void;
}

/** A question and its answer, which stays the same as long as nothing is written. */
export interface Fact {
  readonly verb: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly answer: Answer;
}

/** Every verb with its documented answers (docs/MQTT.md). Returns what has to stay true. */
export async function exerciseVerbs(stage: Stage): Promise<Fact[]> {
  await putAndFollow(stage);
  await readThePast(stage);
  await batchesOfJson(stage);
  await batchOfADevice(stage);
  await expire(stage);
  await burst(stage);
  await count(stage);
  await holdALease(stage);
  await readInOrder(stage);
  return remember(stage);
}

/** Asks again through any node: everything must be as it was. */
export async function expectFacts(client: PatientClient, facts: readonly Fact[]): Promise<void> {
  const answers = await Promise.all(facts.map(({ verb, members }) => client.ask(verb, members)));
  for (const [index, { verb, answer }] of facts.entries()) {
    expect(bare(answers[index] as Answer), verb).toEqual(bare(answer));
  }
}

async function putAndFollow({ client, window, keys, disturb }: Stage): Promise<void> {
  const key = keys.temp;
  const raw = await gather(window, `dss/value/${key}`);
  const json = await gather(window, `dss/watch/${key}`);
  const seenBy = async (payload: string, what: Gathered): Promise<void> =>
    what.until(`'${payload}'`, () => what.messages.at(-1)?.payload === payload);
  for (const [value, qos] of [
    ['1', 1],
    ['2', 2],
    ['3', 1],
  ] as const) {
    await client.publish(`dss/put/${key}`, value, qos);
    await seenBy(value, raw);
  }
  const got = await client.ask(`get/${key}`);
  expect(got).toMatchObject({ op: 'get', key, ok: true, value: '3' });
  expect(got).not.toHaveProperty('expiresAt');

  const { version, time } = got;
  const late = await gather(window, `dss/watch/${key}`);
  await late.until('the current value', () => late.messages.length > 0);
  const [first] = late.messages;
  expect(first).toMatchObject({ topic: `dss/watch/${key}`, retain: true });
  expect(parsed(first)).toEqual({ key, version, time, value: '3', snapshot: true });
  const lateRaw = await gather(window, `dss/value/${key}`);
  await lateRaw.until('the current value', () => lateRaw.messages.length > 0);
  expect(lateRaw.messages[0]).toEqual({ topic: `dss/value/${key}`, payload: '3', retain: true });

  await client.put(key, '');
  await seenBy('', raw);
  expect(bare(await client.ask(`get/${key}`))).toEqual({
    op: 'get',
    key,
    ok: false,
    error: 'NOT_FOUND',
  });
  await late.until('the delete', () => late.messages.length > 1);
  expect(parsed(late.messages.at(-1))).toMatchObject({ key, deleted: true, snapshot: false });
  expect(parsed(late.messages.at(-1))).not.toHaveProperty('value');
  await client.put(key, '4');
  await seenBy('4', raw);
  await json.until('4', () => parsed(json.messages.at(-1)).value === '4');
  const expected = ['1', '2', '3', '', '4'];
  const payloads = raw.messages.map(({ payload }) => payload);
  expect(disturb ? withoutRepetitions(payloads) : payloads).toEqual(expected);
  expect(raw.messages.every(({ retain }) => !retain)).toBe(true);
  const values = json.messages.map((message) => parsed(message).value ?? '');
  expect(disturb ? withoutRepetitions(values) : values).toEqual(expected);

  await client.put(keys.note, 'to be deleted');
  await client.publish(`dss/delete/${keys.note}`, 'ignored');
  await client.publish(`dss/delete/${keys.note}`, '');
  expect(await client.ask(`get/${keys.note}`)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
  await client.put(keys.blob, BINARY);
  const blob = await client.ask(`get/${keys.blob}`);
  expect(blob).toMatchObject({ ok: true, base64: BINARY.toString('base64') });
  expect(blob).not.toHaveProperty('value');
  for (const each of [raw, json, late, lateRaw]) await each.client.endAsync();
}

async function readThePast({ client, keys, disturb }: Stage): Promise<void> {
  const key = keys.temp;
  const { items = [], ...rest } = await client.ask(`history/${key}`, { order: 'asc' });
  expect(rest).toMatchObject({ op: 'history', key, ok: true, more: false, next: null });
  const texts = items.map(({ deleted, value }) => (deleted ? '' : value));
  expect(disturb ? withoutRepetitions(texts) : texts).toEqual(['1', '2', '3', '', '4']);
  const newestFirst = await client.ask(`history/${key}`);
  expect(newestFirst.items).toEqual(items.toReversed());
  for (const order of ['asc', 'desc'] as const) {
    const pages = await everyPage(client, `history/${key}`, { order, limit: 2 });
    expect(pages).toEqual(order === 'asc' ? items : items.toReversed());
  }
  const [from, to] = [items[1]?.time as number, items[3]?.time as number];
  const part = await client.ask(`history/${key}`, {
    from,
    to: new Date(to).toISOString(),
    order: 'asc',
  });
  expect(part.items).toEqual(items.filter(({ time }) => time >= from && time < to));
  expect(await client.ask(`history/${key}/never`)).toMatchObject({
    ok: true,
    items: [],
    more: false,
  });

  for (const { time } of items) {
    const current = items.findLast((item) => item.time <= time) as Described;
    const then = await client.ask(`get/${key}`, { at: time });
    if (current.deleted) expect(then).toMatchObject({ ok: false, error: 'NOT_FOUND' });
    else expect(then).toMatchObject({ ok: true, value: current.value, version: current.version });
  }
  const before = { at: new Date((items[0]?.time as number) - 1).toISOString() };
  expect(await client.ask(`get/${key}`, before)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
  await eventually('the nearest replica has it', async () => {
    const nearest = await client.ask(`get/${key}`, { consistency: 'eventual' });
    return nearest.value === '4' ? true : undefined;
  });
}

async function batchesOfJson({ client, window, prefix, keys }: Stage): Promise<void> {
  const follower = await gather(window, `dss/value/${keys.late}`);
  const nowMs = Date.now();
  const below = (key: string): string => key.slice(prefix.length + 1);
  const send = (elements: readonly object[], topic = `dss/batch/${prefix}`): Promise<void> =>
    client.publish(topic, JSON.stringify(elements));
  await send([
    { key: below(keys.object), value: { a: [1, 'ü'] } },
    { key: below(keys.blob), base64: BINARY.toString('base64') },
    { key: below(keys.late), value: 'now', time: nowMs - 1_000 },
    { key: below(keys.note), value: 'x' },
    { key: below(keys.note), delete: true },
  ]);
  expect(await client.ask(`get/${keys.object}`)).toMatchObject({ value: '{"a":[1,"ü"]}' });
  expect(await client.ask(`get/${keys.note}`)).toMatchObject({ error: 'NOT_FOUND' });
  expect(await client.ask(`get/${keys.late}`)).toMatchObject({ value: 'now', time: nowMs - 1_000 });
  // Late readings, one of them twice: it is the same one, and the later write counts. Keys are whole without a prefix.
  const iso = new Date(nowMs - HOUR_MS).toISOString();
  await send([{ key: keys.late, value: 'an hour ago', time: iso }], 'dss/batch');
  await send([{ key: below(keys.late), value: 'two hours ago', time: nowMs - 2 * HOUR_MS }]);
  await send([{ key: below(keys.late), value: 'an hour ago, again', time: iso }]);
  expect(await client.ask(`get/${keys.late}`)).toMatchObject({ value: 'now' });
  const past = { at: nowMs - HOUR_MS };
  expect(await client.ask(`get/${keys.late}`, past)).toMatchObject({ value: 'an hour ago, again' });
  await send([{ key: below(keys.late), value: 'after', time: nowMs - 500 }]);
  await follower.until('the newest', () => follower.messages.at(-1)?.payload === 'after');
  // Nobody who follows hears of the past.
  expect(follower.messages.map(({ payload }) => payload)).toEqual(['now', 'after']);
  const { items = [] } = await client.ask(`history/${keys.late}`, { order: 'asc' });
  expect(items.map(({ value, time }) => [value, nowMs - time])).toEqual([
    ['two hours ago', 2 * HOUR_MS],
    ['an hour ago, again', HOUR_MS],
    ['now', 1_000],
    ['after', 500],
  ]);
  // By version, which is the order of writes, they stand differently.
  const byVersion = items.toSorted((a, b) => a.version - b.version);
  expect(byVersion.map(({ value }) => value)).toEqual([
    'now',
    'two hours ago',
    'an hour ago, again',
    'after',
  ]);
  await follower.client.endAsync();
}

async function batchOfADevice({ client, window, prefix, keys }: Stage): Promise<void> {
  const key = keys.device.slice(prefix.length + 1);
  const follower = await gather(window, `dss/value/${keys.device}`);
  const nowMs = Date.now();
  const reading = (value: string, timeMs: number) => ({ key, value: Buffer.from(value), timeMs });
  const readings = [
    reading('newest', nowMs - 10),
    reading('older', nowMs - HOUR_MS),
    reading('', nowMs - HOUR_MS / 2),
  ];
  const batch = encode(kv.DeviceBatch, { format: 1, readings });
  for (let times = 0; times < 2; times += 1) await client.publish(`dss/batch/${prefix}`, batch);
  expect(await client.ask(`get/${keys.device}`)).toMatchObject({
    value: 'newest',
    time: nowMs - 10,
  });
  const { items = [] } = await client.ask(`history/${keys.device}`);
  expect(items.map(({ value, deleted, time }) => [value ?? deleted, nowMs - time])).toEqual([
    ['newest', 10],
    [true, HOUR_MS / 2],
    ['older', HOUR_MS],
  ]);
  await client.put(keys.device, 'end');
  await follower.until('the end', () => follower.messages.at(-1)?.payload === 'end');
  const heard = follower.messages.map(({ payload }) => payload);
  expect(withoutRepetitions(heard)).toEqual(['newest', 'end']);
  await follower.client.endAsync();
}

async function expire({ client, window, prefix, keys }: Stage): Promise<void> {
  const key = keys.door;
  const raw = await gather(window, `dss/value/${key}`);
  const json = await gather(window, `dss/watch/${key}`);
  const element = { key: key.slice(prefix.length + 1), value: 'open', ttl: 0.7 };
  await client.publish(`dss/batch/${prefix}`, JSON.stringify([element]));
  await raw.until('the value', () => raw.messages.length > 0);
  const { items: [stored] = [] } = await client.ask(`history/${key}`);
  expect(stored).toMatchObject({ value: 'open', expiresAt: (stored?.time as number) + 700 });
  await raw.until('the end', () => raw.messages.at(-1)?.payload === '');
  expect(raw.messages.at(-1)).toEqual({ topic: `dss/value/${key}`, payload: '', retain: false });
  expect(withoutRepetitions(raw.messages.map(({ payload }) => payload))).toEqual(['open', '']);
  await json.until('the end', () => parsed(json.messages.at(-1)).deleted === true);
  expect(parsed(json.messages.at(-2))).toMatchObject({
    value: 'open',
    expiresAt: stored?.expiresAt,
  });
  const end = parsed(json.messages.at(-1));
  expect(end).toMatchObject({ key, deleted: true, snapshot: false });
  expect(end.time).toBeGreaterThanOrEqual(stored?.expiresAt as number);
  expect(await client.ask(`get/${key}`)).toMatchObject({ ok: false, error: 'NOT_FOUND' });
  const { items = [] } = await client.ask(`history/${key}`);
  expect(items[0]).toMatchObject({ deleted: true });
  expect(items[1]).toMatchObject({ value: 'open' });
  for (const each of [raw, json]) await each.client.endAsync();
}

/** Puts, batches and questions that are under way all at once. */
async function burst({ client, window, prefix, keys, disturb }: Stage): Promise<void> {
  const follower = await gather(window, `dss/value/${keys.plain}`);
  let acknowledged = 0;
  const puts = Array.from({ length: BURST }, async (_, index) => {
    await client.put(keys.plain, String(index));
    acknowledged += 1;
    if (acknowledged === BURST / 2) disturb?.('burst');
  });
  const batch = Array.from({ length: 10 }, (_, index) => ({ key: `many/${index}`, value: index }));
  const others = [
    client.publish(`dss/batch/${prefix}`, JSON.stringify(batch)),
    client.ask(`get/${keys.temp}`).then((got) => expect(got).toMatchObject({ value: '4' })),
    client.ask(`list/${prefix}`).then((got) => expect(got.keys).toContain(keys.temp)),
  ];
  await Promise.all([...puts, ...others]);
  const last = String(BURST - 1);
  expect(await client.ask(`get/${keys.plain}`)).toMatchObject({ value: last });
  await follower.until('the last', () => follower.messages.at(-1)?.payload === last);
  const { keys: many } = await client.ask(`list/${prefix}/many`);
  expect(many).toEqual(batch.map(({ key }) => `${prefix}/${key}`));
  const history = await everyPage(client, `history/${keys.plain}`, { order: 'asc', limit: 50 });
  const values = history.map(({ value }) => Number(value));
  const all = Array.from({ length: BURST }, (_, index) => index);
  // What is sent again comes again behind what was under way with it, each time in order.
  if (disturb) expect([...new Set(values)].sort((a, b) => a - b)).toEqual(all);
  else expect(values).toEqual(all);
  expect(values.at(-1)).toBe(BURST - 1);
  await follower.client.endAsync();
}

async function count({ client, rival, keys, disturb }: Stage): Promise<void> {
  const key = keys.counter;
  let version: number | null = null;
  for (let value = 1; value <= INCREMENTS; value += 1) {
    if (value === INCREMENTS / 2) disturb?.('increments');
    const who = value % 2 === 0 ? client : rival;
    const won = await who.ask(`cas/${key}`, { if: version, value, id: `increment ${value}` });
    expect(won).toMatchObject({ op: 'cas', key, ok: true });
    expect(won).not.toHaveProperty('expiresAt');
    expect(won.version).toBeGreaterThan(version ?? 0);
    const stale = await who.ask(`cas/${key}`, { if: version, value: 'stale' });
    expect(stale).toMatchObject({ ok: false, error: 'VERSION_MISMATCH', version: won.version });
    version = won.version as number;
  }
  const got = await rival.ask(`get/${key}`);
  expect(got).toMatchObject({ value: String(INCREMENTS), version });
  const { items = [] } = await client.ask(`history/${key}`, { order: 'asc' });
  const values = Array.from({ length: INCREMENTS }, (_, index) => String(index + 1));
  expect(items.map(({ value }) => value)).toEqual(values);
}

async function holdALease({ client, rival, keys }: Stage): Promise<void> {
  const cas = `cas/${keys.leader}`;
  const claim = { if: null, value: client.clientId, ttl: 600, id: 'claim' };
  const won = await client.ask(cas, claim);
  expect(won).toMatchObject({ id: 'claim', ok: true, expiresAt: expect.any(Number) });
  const { version } = won;
  const lost = { ok: false, error: 'VERSION_MISMATCH', version };
  expect(await rival.ask(cas, { ...claim, value: rival.clientId })).toMatchObject(lost);
  // The same of another client is no repetition, nor is another request under that id.
  expect(await rival.ask(cas, claim)).toMatchObject(lost);
  expect(await client.ask(cas, { ...claim, ttl: 601 })).toMatchObject(lost);
  expect(bare(await client.ask(cas, claim))).toEqual(bare(won));
  const { reconnects } = client;
  client.breakOff();
  expect(bare(await client.ask(cas, claim))).toEqual(bare(won));
  expect(client.reconnects).toBeGreaterThan(reconnects);

  const renewed = await client.ask(cas, { ...claim, if: version, id: 'renewal' });
  expect(renewed).toMatchObject({ ok: true });
  expect(renewed.expiresAt).toBeGreaterThanOrEqual(won.expiresAt as number);
  const now = { ok: false, error: 'VERSION_MISMATCH', version: renewed.version };
  expect(await client.ask(cas, claim)).toMatchObject(now);
  expect(await rival.ask(cas, { if: version, delete: true, id: 'mine!' })).toMatchObject(now);
  const back = { if: renewed.version, delete: true, id: 'given back' };
  expect(await client.ask(cas, back)).toMatchObject({ ok: true });
  expect(await client.ask(cas, back)).toMatchObject({ ...lost, version: null });
  const next = await rival.ask(cas, { if: null, base64: '/w==', ttl: 3600, id: 'next' });
  expect(next).toMatchObject({ ok: true });
  expect(await client.ask(`get/${keys.leader}`)).toMatchObject({
    base64: '/w==',
    version: next.version,
    expiresAt: next.expiresAt,
  });
}

async function readInOrder({ client, prefix }: Stage): Promise<void> {
  // A neighbour that begins with the same letters, and the prefix as a key of its own.
  await client.put(`${prefix}0/stranger`, 'x');
  await client.put(prefix, 'itself');
  const whole = await client.ask(`range/${prefix}`, { limit: 1_000 });
  const items = whole.items ?? [];
  expect(whole).toMatchObject({ op: 'range', prefix, ok: true, more: false, next: null });
  const keys = items.map(({ key }) => key as string);
  expect(keys).toEqual(keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  expect(keys[0]).toBe(prefix);
  expect(keys.every((key) => key === prefix || key.startsWith(`${prefix}/`))).toBe(true);
  expect(await client.ask(`list/${prefix}`, { limit: 1_000 })).toMatchObject({ keys, more: false });
  const withValues = await client.ask(`list/${prefix}`, { limit: 1_000, values: true });
  expect(withValues.items).toEqual(items);
  const listed = await everyPage(client, `list/${prefix}`, { limit: 3, values: true });
  expect(listed).toEqual(items);
  const backwards = await everyPage(client, `range/${prefix}`, { limit: 4, reverse: true });
  expect(backwards).toEqual(items.toReversed());
  const [from, to] = [keys[2] as string, keys[6] as string];
  const part = await client.ask(`range/${prefix}`, { from, to });
  expect(part.items).toEqual(items.slice(2, 6));
  const [first] = (await client.ask(`list/${prefix}`, { limit: 1, after: from })).keys ?? [];
  expect(first).toBe(keys[3]);
  for (const { key, version, value } of items) {
    const got = await client.ask(`get/${key}`);
    expect(got).toMatchObject({ version, ...(value === undefined ? {} : { value }) });
  }
}

async function remember({ client, prefix, keys }: Stage): Promise<Fact[]> {
  const questions: [string, Record<string, unknown>][] = [
    [`range/${prefix}`, { limit: 1_000 }],
    [`range/${prefix}`, { limit: 7, reverse: true }],
    ...Object.values(keys).flatMap((key): [string, Record<string, unknown>][] => [
      [`get/${key}`, {}],
      [`history/${key}`, { limit: 1_000 }],
    ]),
  ];
  const facts: Fact[] = [];
  for (const [verb, members] of questions) {
    facts.push({ verb, members, answer: await client.ask(verb, members) });
  }
  return facts;
}

/** Page by page, by their cursors. */
async function everyPage(
  client: PatientClient,
  verb: string,
  members: { readonly limit: number; readonly [name: string]: unknown },
): Promise<Described[]> {
  const all: Described[] = [];
  for (let after: string | null | undefined; ; ) {
    const page = after === undefined ? members : { ...members, after };
    const { items = [], more, next } = await client.ask(verb, page);
    expect(items.length).toBeLessThanOrEqual(members.limit);
    all.push(...items);
    expect(next === null).toBe(!more);
    if (next == null) return all;
    after = next;
  }
}

/** The JSON of a message. */
export function parsed(message: { readonly payload: string } | undefined): Record<string, unknown> {
  return message === undefined ? {} : (JSON.parse(message.payload) as Record<string, unknown>);
}

/** Without what differs from one time of asking to the next. */
function bare({ ...answer }: Answer): Partial<Answer> {
  const { id: _id, sends: _sends, ...rest } = answer as Answer & { sends?: number };
  return rest;
}

/** A put that was sent again may be stored twice. */
function withoutRepetitions<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => index === 0 || value !== values[index - 1]);
}
