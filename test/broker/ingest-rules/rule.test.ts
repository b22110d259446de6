import { describe, expect, it } from 'vitest';
import {
  ingestRuleFromProto,
  ingestRuleToProto,
  parseIngestRule,
} from '../../../broker/ingest-rules/rule.ts';
import { decode, encode, kv } from '../../../protos/index.ts';

function parsed(input: unknown) {
  const result = parseIngestRule(input);
  if ('wrong' in result) throw new Error(result.wrong);
  return result.value;
}

function wrongWith(input: unknown): string {
  const result = parseIngestRule(input);
  return 'wrong' in result ? result.wrong : 'nothing is wrong';
}

describe('an ingest rule', () => {
  it('needs a filter only, and is named after it', () => {
    expect(parsed({ filter: 'tele/+/SENSOR' })).toEqual({
      name: 'tele/+/SENSOR',
      filter: 'tele/+/SENSOR',
      except: [],
      key: '',
      value: '',
      time: '',
      timeUnit: '',
      timeZone: '',
    });
  });

  it('takes one exception or many, and the time as a path or with unit and zone', () => {
    expect(parsed({ filter: '#', except: 'a/#' }).except).toEqual(['a/#']);
    expect(parsed({ filter: '#', except: ['a/#', 'b'] }).except).toEqual(['a/#', 'b']);
    expect(parsed({ filter: '#', time: 'ts' })).toMatchObject({ time: 'ts', timeUnit: 'ms' });
    const zone = 'Europe/Berlin';
    expect(parsed({ filter: '#', time: { path: 'ts', unit: 's', zone } })).toMatchObject({
      time: 'ts',
      timeUnit: 's',
      timeZone: zone,
    });
  });

  it('takes null for what is not given', () => {
    const nothing = { name: null, except: null, key: null, value: null, time: null };
    expect(parsed({ filter: 'a', ...nothing, timeUnit: null, timeZone: null })).toEqual(
      parsed({ filter: 'a' }),
    );
  });

  it('can be sent back as it is shown, and survives protobuf', () => {
    const input = { filter: 'a/+', except: ['a/b'], key: 'k/$1/$field', value: 'each x' };
    const rule = parsed({ ...input, name: 'n', time: { path: 'x.t', unit: 'ns', zone: 'UTC' } });
    expect(parsed(rule)).toEqual(rule);
    const bytes = encode(kv.IngestRule, ingestRuleToProto(rule));
    expect(ingestRuleFromProto(decode(kv.IngestRule, bytes))).toEqual(rule);
    expect(parsed(ingestRuleFromProto(decode(kv.IngestRule, bytes)))).toEqual(rule);
  });

  it.each([
    [undefined, /must be an object/],
    [[], /must be an object/],
    [{}, /"filter" must be text/],
    [{ filter: 7 }, /"filter" must be text/],
    [{ filter: '' }, /not an MQTT filter/],
    [{ filter: 'a/#/b' }, /filter "a\/#\/b" is not an MQTT filter such as/],
    [{ filter: 'a/b+' }, /not an MQTT filter/],
    [{ filter: 'a\0' }, /not an MQTT filter/],
    [{ filter: `${'a/'.repeat(100)}a` }, /not an MQTT filter/],
    [{ filter: 'a'.repeat(1_025), name: 'n' }, /"filter" can have at most 1024 bytes/],
    [{ filter: 'dss/value/#' }, /begins with dss\//],
    [{ filter: '$share/g/a' }, /begins with \$share\//],
    [{ filter: '#', except: ['a', 'b#'] }, /in "except" "b#" is not an MQTT filter/],
    [{ filter: '#', except: [1] }, /"except" must be a filter or a list/],
    [{ filter: '#', except: 'a'.repeat(2_000) }, /"except" can have at most 1024 bytes/],
    [{ filter: '#', except: Array(101).fill('a') }, /at most 100 filters/],
    [{ filter: '#', name: 'a\nb' }, /1 to 128 characters/],
    [{ filter: 'f'.repeat(129) }, /the name must have 1 to 128 characters/],
    [{ filter: '#', keys: 'x' }, /unknown member "keys"; an ingest rule has name, filter/],
    [{ filter: 'a/+', key: '$2' }, /the key has \$2, but the filter has 1 wildcard$/],
    [{ filter: 'a', key: '$1' }, /\$1, but the filter has 0 wildcards/],
    [{ filter: 'a/+', key: '$10' }, /the key has \$10; allowed are \$topic, \$1 to \$9/],
    [{ filter: 'a/+', key: '$0' }, /the key has \$0; allowed are/],
    [{ filter: 'a', key: '$topics' }, /the key has \$topics; allowed are/],
    [{ filter: 'a', key: 'x$' }, /the key has \$; allowed are/],
    [{ filter: 'a', key: 'x/#' }, /without "\+", "#"/],
    [{ filter: 'a', key: '$field' }, /\$field in the key needs the value "each"/],
    [{ filter: 'a', value: 'each', key: '$topic' }, /the key must have \$field/],
    [{ filter: 'a', value: 'b..c' }, /the value: "b\.\.c" is not a path into JSON/],
    [{ filter: 'a', value: 'each b..c' }, /the value: "b\.\.c" is not a path/],
    [{ filter: 'a', time: '' }, /nothing is wrong/],
    [{ filter: 'a', time: {} }, /"path" must be text/],
    [{ filter: 'a', time: { path: 't', uint: 's' } }, /unknown member "uint" of "time"/],
    [{ filter: 'a', time: { path: 't', unit: 'min' } }, /unit "min" must be s, ms, us, ns/],
    [{ filter: 'a', time: { path: 't', unit: 'toString' } }, /unit "toString" must be/],
    [{ filter: 'a', time: { path: 't', zone: 'Mars/Olympus' } }, /zone "Mars\/Olympus" must be/],
    [{ filter: 'a', time: { path: 't' }, timeUnit: 's' }, /unit and zone belong into it/],
    [{ filter: 'a', timeUnit: 's' }, /a unit or a zone, but no path/],
    [{ filter: 'a', time: 'a[b]' }, /the time: "a\[b\]" is not a path/],
  ])('says what is wrong with %j', (input, sentence) => {
    expect(wrongWith(input)).toMatch(sentence);
  });
});
