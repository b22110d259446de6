import { describe, expect, it } from 'vitest';
import { parseIngestRule } from '../../../broker/ingest-rules/rule.ts';
import { IngestRules } from '../../../broker/ingest-rules/rules.ts';

function rules(...inputs: object[]): IngestRules {
  return new IngestRules(
    inputs.map((input) => {
      const parsed = parseIngestRule(input);
      if ('wrong' in parsed) throw new Error(parsed.wrong);
      return parsed.value;
    }),
  );
}

describe('ingest rules', () => {
  it('match as MQTT filters do, the first one counts, and exceptions are left to later ones', () => {
    const set = rules(
      { name: 'sensor', filter: 'tele/+/SENSOR' },
      { name: 'tele', filter: 'tele/#', except: ['tele/+/STATE', 'tele/secret/#'] },
      { name: 'state', filter: '+/+/STATE' },
    );
    const nameFor = (topic: string) => set.match(topic)?.name;
    expect(nameFor('tele/a/SENSOR')).toBe('sensor');
    expect(nameFor('tele/a/SENSOR/x')).toBe('tele');
    expect(nameFor('tele')).toBe('tele');
    expect(nameFor('tele/a/STATE')).toBe('state');
    expect(nameFor('tele/secret')).toBeUndefined();
    expect(nameFor('tele/secret/STATE')).toBe('state');
    expect(nameFor('/tele/a/SENSOR')).toBeUndefined();
    expect(nameFor('other')).toBeUndefined();
  });

  it('with # keep everything but our own topics and those of the broker', () => {
    const set = rules({ filter: '#' });
    expect(set.match('a/b')).toBeDefined();
    expect(set.match('/')).toBeDefined();
    expect(set.match('dssx/put')).toBeDefined();
    expect(set.match('dss/put/a')).toBeUndefined();
    expect(set.match('$SYS/broker/uptime')).toBeUndefined();
    expect(rules({ filter: '+/broker/#' }).match('$SYS/broker/uptime')).toBeUndefined();
    expect(rules({ filter: '+/put/#' }).match('dss/put/a')).toBeUndefined();
    expect(rules({ filter: '$SYS/#' }).match('$SYS/broker/uptime')).toBeDefined();
  });

  it('answer the same for a topic seen before, however many others there are', () => {
    const set = rules({ name: 'even', filter: '+/even' });
    const topicOf = (i: number) => `${i}/${i % 2 === 0 ? 'even' : 'odd'}`;
    for (const round of [1, 2]) {
      for (let i = 0; i < 12_000; i += 1) {
        const expected = i % 2 === 0 ? 'even' : undefined;
        if (set.match(topicOf(i))?.name !== expected) throw new Error(`${topicOf(i)} in ${round}`);
      }
    }
    expect(set.match(`${'x'.repeat(300)}/even`)?.name).toBe('even');
  });

  it('are nothing at all when there are none', () => {
    const none = new IngestRules([]);
    expect(none.isEmpty).toBe(true);
    expect(none.match('a')).toBeUndefined();
    expect(rules({ filter: 'a' }).isEmpty).toBe(false);
  });

  it('leave out, and name, what this version does not understand', () => {
    const parsed = parseIngestRule({ filter: 'a', name: 'new' });
    if ('wrong' in parsed) throw new Error(parsed.wrong);
    const newer = { ...parsed.value, value: 'each?filter=x y' };
    const set = new IngestRules([newer, { ...parsed.value, name: 'old' }]);
    expect(set.match('a')?.name).toBe('old');
    expect(set.unusable).toMatchObject([{ name: 'new', wrong: expect.stringContaining('path') }]);
  });
});
