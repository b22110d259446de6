import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unixMsToVersion } from '../../../broker/data-plane.ts';
import { evaluate } from '../../../broker/ingest-rules/ingest-message.ts';
import { PRESETS, parsePreset } from '../../../broker/ingest-rules/presets.ts';
import { IngestRules } from '../../../broker/ingest-rules/rules.ts';

/** Messages in the form that documentation and logs show, and what a preset is to make of each. */
interface Recording {
  readonly preset: string;
  readonly timeZone?: string;
  readonly messages: readonly {
    readonly topic: string;
    readonly payload: string | object;
    readonly receivedAt?: string;
    readonly rule: string | null;
    readonly writes?: Readonly<Record<string, string>>;
    /** Of all writes; absent: the time of arrival. */
    readonly time?: string;
    readonly notes?: readonly string[];
  }[];
}

const folder = join(import.meta.dirname, 'recorded');
const recordings = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording,
);

function presetOf({ preset, timeZone }: Pick<Recording, 'preset' | 'timeZone'>) {
  const rules = parsePreset({ preset, timeZone });
  if ('wrong' in rules) throw new Error(rules.wrong);
  return rules.value;
}

describe.each(recordings)('the preset $preset', (recording) => {
  const rules = new IngestRules(presetOf(recording));

  it('has rules of its name, each once', () => {
    const names = presetOf(recording).map(({ name }) => name);
    expect(names.every((name) => name.startsWith(`${recording.preset}-`))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    expect(rules.unusable).toEqual([]);
  });

  it.each(recording.messages)('with $topic $about', (message) => {
    const { topic, payload, receivedAt = '2024-03-04T11:00:00Z' } = message;
    const rule = rules.match(topic);
    expect(rule?.name ?? null).toBe(message.rule);
    if (rule === undefined) return;
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const receivedAtMs = Date.parse(receivedAt);
    const evaluation = evaluate(rule, { topic, payload: bytes, receivedAtMs });
    if (evaluation.kind === 'nothing') throw new Error(evaluation.problem.message);
    const { writes, notes } = evaluation;
    const texts = writes.map(({ key, value }) => [
      Buffer.from(key).toString(),
      Buffer.from(value).toString(),
    ]);
    expect(Object.fromEntries(texts)).toEqual(message.writes);
    expect(notes.map(({ code }) => code)).toEqual(message.notes ?? []);
    const time = message.time === undefined ? 0 : unixMsToVersion(Date.parse(message.time));
    expect(new Set(writes.map((write) => write.time))).toEqual(new Set([time]));
  });
});

describe('presets', () => {
  it('are all recorded', () => {
    expect(recordings.map(({ preset }) => preset).sort()).toEqual([...PRESETS].sort());
  });

  it('say what they need', () => {
    expect(parsePreset({ preset: 'knx' })).toEqual({
      wrong: 'the preset must be one of zigbee2mqtt, tasmota, shelly, homeassistant',
    });
    expect(parsePreset({ preset: 'toString' })).toHaveProperty('wrong');
    expect(parsePreset({ preset: 'tasmota' })).toMatchObject({
      wrong: expect.stringContaining('Tasmota writes local times without a zone: give the'),
    });
    expect(parsePreset({ preset: 'tasmota', timeZone: 'CEST' })).toMatchObject({
      wrong: expect.stringContaining('the time zone must be a name of the time zone database'),
    });
    expect(parsePreset({ preset: 'zigbee2mqtt', timeZone: 'Europe/Berlin' })).toHaveProperty(
      'value',
    );
  });
});
