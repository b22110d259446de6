import { describe, expect, it } from 'vitest';
import { compileRule } from '../../../broker/ingest-rules/compiled-rule.ts';
import { evaluate } from '../../../broker/ingest-rules/ingest-message.ts';
import { parseIngestRule } from '../../../broker/ingest-rules/rule.ts';
import { RuleCounters } from '../../../broker/ingest-rules/rule-counters.ts';

function counting(rule: object) {
  const parsed = parseIngestRule(rule);
  if ('wrong' in parsed) throw new Error(parsed.wrong);
  const compiled = compileRule(parsed.value);
  if ('wrong' in compiled) throw new Error(compiled.wrong);
  const counters = new RuleCounters();
  let receivedAtMs = 1_000;
  const receive = (topic: string, payload: string | Uint8Array) => {
    const message = { topic, payload: Buffer.from(payload), receivedAtMs };
    counters.record('r', message, evaluate(compiled.value, message));
    receivedAtMs += 1;
  };
  return { counters, receive };
}

describe('the counters of a rule', () => {
  it('count values, deletes and problems, and show the last message of each', () => {
    const { counters, receive } = counting({ filter: '#', value: 'each' });
    receive('a', '{"x":1,"y":2,"z":""}');
    receive('b', 'on');
    receive('c', 'off');
    receive('d', '{"x+":1,"y":2}');
    receive('e', '');
    expect(counters.of('r')).toEqual({
      name: 'r',
      messages: 5,
      stored: 3,
      deleted: 1,
      problems: { 'not-json': 2, 'bad-key': 1, empty: 1 },
      examples: [
        expect.objectContaining({
          problem: 'not-json',
          topic: 'c',
          payload: 'off',
          encoding: 'text',
          payloadBytes: 3,
          atMs: 1_002,
          message: expect.stringContaining('is not JSON'),
        }),
        expect.objectContaining({ problem: 'bad-key', topic: 'd' }),
        expect.objectContaining({ problem: 'empty', topic: 'e', payload: '' }),
      ],
      lastStored: {
        topic: 'd',
        key: 'd/y',
        value: '2',
        encoding: 'text',
        valueBytes: 1,
        atMs: 1_003,
      },
    });
  });

  it('hold the beginning of what is long, and bytes as base64', () => {
    const { counters, receive } = counting({ filter: '#', value: 'v' });
    receive('t'.repeat(1_000), `${'x'.repeat(255)}ü${'y'.repeat(5_000)}`);
    const [example] = counters.of('r').examples;
    expect(example).toMatchObject({ payload: 'x'.repeat(255), payloadBytes: 5_257 });
    expect(example?.topic).toHaveLength(256 + '… (1000 characters)'.length);
    receive('t', new Uint8Array([0xff, 0x00]));
    expect(counters.of('r').examples).toMatchObject([{ payload: '/wA=', encoding: 'base64' }]);
  });

  it('do not hold on to the buffer that a message was read from', () => {
    const { counters } = counting({ filter: '#' });
    const payload = new Uint8Array([0x31]);
    const message = { topic: 'a', payload, receivedAtMs: 1 };
    const writes = [{ key: Buffer.from('a'), value: payload, time: 0, ttlMs: 0 }];
    counters.record('r', message, { kind: 'writes', writes, notes: [] });
    payload[0] = 0x32;
    expect(counters.of('r').lastStored?.value).toBe('1');
  });

  it('stay while the rule keeps its name, and go with it', () => {
    const { counters, receive } = counting({ filter: '#' });
    receive('a', '1');
    counters.keepOnly(['r', 'other']);
    expect(counters.of('r').stored).toBe(1);
    counters.keepOnly(['other']);
    expect(counters.of('r')).toMatchObject({ stored: 0, problems: {}, lastStored: undefined });
  });
});
