import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainConfig } from '../../../node/config/explained.ts';
import type { ConfigSources } from '../../../node/config/origin.ts';
import { LISTS, pathOf, SETTING_NAMES } from '../../../node/config/settings.ts';
import { hashPassword } from '../../../node/edge/password-hash.ts';
import { directory, fileWith } from './load.ts';

const explain = (sources: Partial<ConfigSources>) =>
  explainConfig({ flags: {}, environment: {}, ...sources });
const only = (wanted: string, sources: Partial<ConfigSources>) =>
  explain(sources).find(({ setting }) => setting === wanted);

describe('the configuration, explained', () => {
  it('has every setting and every list, by default', () => {
    const explained = explain({});
    const names = explained.map(({ setting }) => setting);
    expect(names).toEqual([...SETTING_NAMES.map(pathOf), ...LISTS]);
    expect(new Set(explained.map(({ origin }) => origin))).toEqual(new Set(['default']));
    expect(only('mqttPort', {})).toEqual({
      ...{ setting: 'mqttPort', value: 1883, origin: 'default', from: '' },
    });
  });

  it('says who has the last word', () => {
    const file = fileWith('weight: 2\nzone: hall\nstorage: {maxBytes: 1GiB}');
    const sources = {
      file,
      environment: { DSS_WEIGHT: '3', DSS_LOG_LEVEL: 'warn' },
      flags: { weight: 4 },
    };
    expect(only('weight', sources)).toMatchObject({ value: 4, origin: 'flag', from: '--weight' });
    expect(only('logLevel', sources)).toMatchObject({
      ...{ value: 'warn', origin: 'environment', from: 'DSS_LOG_LEVEL' },
    });
    expect(only('storage.maxBytes', sources)).toMatchObject({
      ...{ value: 1024 ** 3, origin: 'file', from: `storage.maxBytes in ${file}` },
    });
    const replacing = { flags: { replace: 'n7', join: 'a:1', secret: 'a secret' } };
    expect(only('name', replacing)).toMatchObject({ value: 'n7', from: '--replace' });
  });

  it('shows no secret, wherever it comes from', async () => {
    const password = await hashPassword('a password of somebody');
    const file = fileWith(
      [
        `users: [{name: line3, password: '${password}', read: ['#']}]`,
        'alerts: {webhook: "https://alerts.example/a-secret-path"}',
        'sinks: [{name: up, url: "mqtt://b:1", filter: "#", user: u, password: a-secret}]',
      ].join('\n'),
    );
    const given = explain({ file, flags: { secret: 'a-secret-of-a-cluster' } });
    const text = JSON.stringify(given);
    expect(text).not.toContain('a-secret');
    expect(text).not.toContain(password);
    const named = (name: string) => given.find(({ setting }) => setting === name);
    expect(named('secret')).toMatchObject({ value: '(hidden)', origin: 'flag', from: '--secret' });
    expect(named('users')).toMatchObject({ value: [{ name: 'line3', read: ['#'] }] });
    expect(named('sinks')).toMatchObject({ value: [{ name: 'up', url: 'mqtt://b:1' }] });
    expect(named('sources')).toMatchObject({ value: [], origin: 'default' });

    const data = join(directory, 'kept');
    mkdirSync(data);
    writeFileSync(join(data, 'cluster-secret'), 'a-secret-that-was-drawn\n');
    expect(only('secret', { flags: { data } })).toMatchObject({
      ...{ value: '(hidden)', origin: 'kept', from: 'the data directory' },
    });
  });

  it('is refused as a node would be', () => {
    expect(() => explain({ flags: { listen: '0.0.0.0' } })).toThrow(/--anonymous/);
  });
});
