import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseLinks } from '../../../node/config/beside.ts';
import { certificates } from '../../support/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'dss-beside-'));
afterAll(() => rmSync(directory, { recursive: true }));
const passwordFile = join(directory, 'password');
writeFileSync(passwordFile, 'secret of the workshop\n');

const source = { name: 'workshop', url: 'mqtt://broker', rules: [{ filter: 'zigbee/#' }] };
const sink = { name: 'office', url: 'mqtt://broker', filter: '#', topicPrefix: 'dss/' };
const parse = (sources: unknown, sinks?: unknown) => parseLinks(sources, sinks, 'dss.yaml');

describe('sources and sinks', () => {
  it('are none if nothing is said', () => {
    expect(parse(undefined, null)).toEqual([]);
  });

  it('have what was said, and defaults', () => {
    const { ca } = certificates;
    const given = { ...source, url: 'mqtts://Broker.example', user: 'dss', passwordFile, ca };
    const [first, second] = parse([given], [{ ...sink, protocol: '3.1.1' }]);
    expect(first).toMatchObject({
      kind: 'source',
      name: 'workshop',
      target: {
        url: 'mqtts://broker.example:8883',
        user: 'dss',
        password: 'secret of the workshop',
        protocolVersion: 5,
      },
      rules: [{ filter: 'zigbee/#', key: '' }],
    });
    expect(first?.target.ca?.length).toBeGreaterThan(100);
    expect(second).toMatchObject({
      kind: 'sink',
      target: { url: 'mqtt://broker:1883', user: undefined, protocolVersion: 4 },
      filter: '#',
      topicPrefix: 'dss/',
    });
  });

  it.each<[string, object, RegExp]>([
    ['no name', { name: undefined }, /source 1 in dss.yaml needs a name/],
    ['a name with spaces', { name: 'my broker' }, /needs a name/],
    ['no url', { url: undefined }, /the source workshop needs a url/],
    ['a url of another kind', { url: 'http://broker' }, /needs a url.*mqtt:/],
    ['a password in the url', { url: 'mqtt://a:b@broker' }, /use "user" and "passwordFile"/],
    ['a path in the url', { url: 'mqtt://broker/x' }, /must end with the host/],
    ['a password without a user', { password: 'x' }, /no user/],
    ['two passwords', { user: 'a', password: 'x', passwordFile }, /one of them is enough/],
    ['a file that is not there', { user: 'a', passwordFile: '/none' }, /cannot be read/],
    ['a ca without TLS', { ca: certificates.ca }, /not mqtts/],
    ['a ca that is none', { url: 'mqtts://b', ca: passwordFile }, /cannot be used/],
    ['another protocol', { protocol: 4 }, /must be 5 or "3.1.1"/],
    ['no rules', { rules: [] }, /needs rules/],
    ['a bad rule', { rules: [{ filter: 'a/#/b' }] }, /rules of the source workshop, rule 1/],
    ['an unknown setting', { topic: 'x' }, /unknown setting topic/],
  ])('refuse %s', (_what, change, complaint) => {
    expect(() => parse([{ ...source, ...change }])).toThrow(complaint);
  });

  it.each<[string, object, RegExp]>([
    ['no filter', { filter: undefined }, /needs a filter/],
    ['a bad filter', { filter: 'a/#/b' }, /needs a filter/],
    ['a prefix without a slash', { topicPrefix: 'mirror' }, /topicPrefix/],
    ['a prefix with a wildcard', { topicPrefix: '+/' }, /topicPrefix/],
    ['rules', { rules: [] }, /unknown setting rules/],
  ])('refuse a sink with %s', (_what, change, complaint) => {
    expect(() => parse([], [{ ...sink, ...change }])).toThrow(complaint);
  });

  it('can be as docs/EXISTING-BROKER.md has them', () => {
    const text = readFileSync(new URL('../../../docs/EXISTING-BROKER.md', import.meta.url), 'utf8');
    const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => {
      const here = yaml
        .replace(/passwordFile: .*$/gm, `passwordFile: ${passwordFile}`)
        .replace(/ca: .*$/gm, `ca: ${certificates.ca}`);
      const { sources, sinks } = parseYaml(here) as { sources: unknown; sinks: unknown };
      return parse(sources, sinks).map(({ name }) => name);
    });
    expect(examples).toEqual([['workshop', 'office'], ['hall-2'], ['front-a', 'front-b']]);
  });

  it('never show a password', () => {
    expect(() => parse([{ ...source, password: 'hunter2' }])).toThrow(/^(?!.*hunter2)/);
    expect(() => parse([{ ...source, user: 7, password: 'hunter2' }])).toThrow(/^(?!.*hunter2)/);
  });

  it('have names of their own', () => {
    expect(() => parse([source], [{ ...sink, name: 'workshop' }])).toThrow(/workshop twice/);
  });

  it('do not send values round in circles', () => {
    const all = { ...source, rules: [{ filter: '#' }] };
    expect(() => parse([all], [sink])).toThrow(/go round for ever/);
    expect(parse([{ ...all, rules: [{ filter: '#', except: 'dss/#' }] }], [sink])).toHaveLength(2);
    expect(parse([{ ...all, url: 'mqtt://another' }], [sink])).toHaveLength(2);
  });
});
