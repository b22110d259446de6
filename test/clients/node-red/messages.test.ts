import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { DssError } from '../../../clients/client/errors.ts';
import { Item } from '../../../clients/client/values.ts';

const load = createRequire(import.meta.url);
const lib = '../../../clients/node-red/lib';
const { membersOf, payloadOf } = load(`${lib}/payload.js`);
const { keyOf, limitOf, timeOf, ttlMsOf, versionOf } = load(`${lib}/parameters.js`);
const { statusOf } = load(`${lib}/status.js`);
const { sendItems } = load(`${lib}/send-items.js`);

const item = (value: string | Uint8Array, fields: Partial<Item> = {}) =>
  new Item({
    key: 'plant1/a',
    value: Buffer.from(value),
    version: 7,
    time: 1_000,
    expiresAt: undefined,
    deleted: false,
    ...fields,
  });

describe('payloads', () => {
  it.each([
    ['21.5', 21.5],
    ['{"mode":"eco"}', { mode: 'eco' }],
    ['null', null],
    ['open', 'open'],
    ['"quoted"', '"quoted"'],
    ['\u{feff}1', '\u{feff}1'],
    [Buffer.from([0xff, 0x00]), Buffer.from([0xff, 0x00])],
  ])('are guessed from %o', (value, payload) => {
    expect(payloadOf(item(value), 'auto')).toEqual(payload);
  });

  it('are what was asked for', () => {
    expect(payloadOf(item('21.5'), 'string')).toBe('21.5');
    expect(payloadOf(item('21.5'), 'json')).toBe(21.5);
    const bytes = payloadOf(item('21.5'), 'buffer');
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect(String(bytes)).toBe('21.5');
    expect(payloadOf(item('', { deleted: true }), 'json')).toBe(null);
    const wrong = () => payloadOf(item('open'), 'json');
    expect(wrong).toThrow(/plant1\/a is no JSON/);
    expect(wrong).toThrow(expect.objectContaining({ code: 'MALFORMED_JSON' }));
  });

  it('come with their key, version, time and end', () => {
    const members = { topic: 'plant1/a', payload: 1, version: 7, time: 1_000, deleted: false };
    expect(membersOf(item('1'), 'auto')).toEqual(members);
    expect(membersOf(item('1', { expiresAt: 9 }), 'auto')).toEqual({ ...members, expiresAt: 9 });
  });
});

describe('parameters', () => {
  it('are those of the editor, or of the message', () => {
    expect(keyOf('a/b', { topic: 'c' })).toBe('a/b');
    expect(keyOf('', { topic: 'c' })).toBe('c');
    expect(keyOf('', {})).toBe('');
    expect(ttlMsOf('60', {})).toBe(60_000);
    expect(ttlMsOf('60', { ttl: 1.5 })).toBe(1_500);
    expect(ttlMsOf('', {})).toBeUndefined();
    expect(limitOf('1000', { limit: 3 })).toBe(3);
    expect(limitOf('', {})).toBeUndefined();
    expect([versionOf({ version: null }), versionOf({ version: 7 })]).toEqual([null, 7]);
  });

  it.each([
    [1_000, 1_000],
    [new Date(1_000), 1_000],
    ['1970-01-01T00:00:01Z', 1_000],
    ['', undefined],
    [undefined, undefined],
  ])('take %o for a time', (value, timeMs) => {
    expect(timeOf(value, 'from')).toBe(timeMs);
  });

  it.each([
    () => timeOf('yesterday', 'from'),
    () => ttlMsOf('-1', {}),
    () => limitOf('many', {}),
    () => versionOf({}),
    () => versionOf({ version: '7' }),
  ])('are refused when they are none: %s', (read) => {
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

describe('dots', () => {
  const text = (name: string) => name;
  const error = (code: string) => new DssError(code, 'why');

  it.each([
    [{ kind: 'connecting' }, undefined, 'yellow', 'ring', 'connecting'],
    [
      { kind: 'connecting', error: error('UNAVAILABLE') },
      undefined,
      'yellow',
      'ring',
      'connecting: why',
    ],
    [{ kind: 'refused', error: error('NOT_A_NODE') }, undefined, 'red', 'ring', 'refused: why'],
    [{ kind: 'connected' }, undefined, 'green', 'dot', 'connected'],
    [{ kind: 'connected' }, error('UNAVAILABLE'), 'red', 'dot', 'noQuorum: why'],
    [{ kind: 'connected' }, error('TIMEOUT'), 'red', 'dot', 'noAnswer: why'],
    [{ kind: 'connected' }, error('NOT_ALLOWED'), 'red', 'dot', 'refused: why'],
  ])('%o, last error %s: %s %s, %s', (state, failure, fill, shape, words) => {
    expect(statusOf(text, state, failure)).toEqual({ fill, shape, text: words });
  });

  it('are short', () => {
    const long = new DssError('NOT_ALLOWED', 'x'.repeat(500));
    expect(statusOf(text, { kind: 'connected' }, long).text).toHaveLength(80);
  });
});

describe('items', () => {
  const RED = {
    util: { generateId: () => 'id', cloneMessage: (msg: object) => structuredClone(msg) },
  };
  const sendAll = async (output: string, items: readonly number[]) => {
    const sent: { payload: unknown }[] = [];
    await sendItems(RED, {
      items,
      output,
      msg: { _msgid: 'm', payload: 'asked' },
      send: (msg: { payload: unknown }) => sent.push(msg),
      membersOf: (payload: number) => ({ payload }),
      elementOf: (payload: number) => payload,
    });
    return sent;
  };

  it('go in one array', async () => {
    expect(await sendAll('array', [1, 2])).toEqual([{ _msgid: 'm', payload: [1, 2] }]);
    expect(await sendAll('array', [])).toEqual([{ _msgid: 'm', payload: [] }]);
  });

  it('go in a message each, of which the last says how many they were', async () => {
    const parts = { id: 'id', type: 'array', len: 1 };
    expect(await sendAll('each', [5, 6])).toEqual([
      { _msgid: 'm', payload: 5, parts: { ...parts, index: 0 } },
      { _msgid: 'm', payload: 6, parts: { ...parts, index: 1, count: 2 } },
    ]);
    expect(await sendAll('each', [])).toEqual([]);
  });
});
