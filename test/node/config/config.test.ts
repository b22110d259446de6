import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigSources, loadNodeOptions } from '../../../node/config/config.ts';
import { NodeError } from '../../../node/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'dss-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function fileWith(content: string): string {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, content);
  return path;
}

function load(sources: Partial<ConfigSources>) {
  return loadNodeOptions({ flags: {}, environment: {}, ...sources });
}

function complaint(sources: Partial<ConfigSources>): string {
  try {
    load(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(NodeError);
    expect((error as NodeError).code).toBe('CONFIG_INVALID');
    const { message } = error as NodeError;
    expect(message, 'one line').not.toContain('\n');
    expect(message, 'a sentence').toMatch(/\.$/);
    return message;
  }
  throw new Error('this was accepted');
}

describe('the configuration of a node', () => {
  it('has a default for everything', () => {
    expect(load({})).toEqual({
      name: 'n1',
      data: './.dss/n1',
      host: '127.0.0.1',
      mqttPort: 1883,
      httpPort: 8080,
      peers: [{ name: 'n1', mqttAddress: '127.0.0.1:1883' }],
      secret: '',
      replicationFactor: 3,
      shards: 64,
      memtableBytes: 16 * 1024 * 1024,
      valueBytesMax: 1024 * 1024,
      onInvalid: 'ack',
      logLevel: 'info',
    });
  });

  it('comes from flags before the environment before the file before defaults', () => {
    const file = fileWith('mqttPort: 1001\nhttpPort: 1002\nname: from-file\n');
    const environment = { DSS_MQTT_PORT: '2001', DSS_HTTP_PORT: '2002' };
    const options = load({ flags: { mqttPort: '3001' }, environment, file });
    expect(options).toMatchObject({
      mqttPort: 3001,
      httpPort: 2002,
      name: 'from-file',
      shards: 64,
    });
  });

  it('reads the names of settings in the environment in capitals', () => {
    const environment = {
      DSS_REPLICATION_FACTOR: '5',
      DSS_VALUE_BYTES_MAX: '100',
      DSS_LOG_LEVEL: 'warn',
    };
    expect(load({ environment })).toMatchObject({
      replicationFactor: 5,
      valueBytesMax: 100,
      logLevel: 'warn',
    });
  });

  it('takes an empty setting, and an empty file, for none', () => {
    const file = fileWith('\n# nothing yet\n');
    expect(load({ environment: { DSS_MQTT_PORT: '' }, file }).mqttPort).toBe(1883);
  });

  it('lists peers in their order, which says who creates the cluster', () => {
    const flags = {
      name: 'b',
      peers: 'a=10.0.0.1:1883, b=localhost:1884',
      secret: 'a long enough secret',
    };
    expect(load({ flags }).peers).toEqual([
      { name: 'a', mqttAddress: '10.0.0.1:1883' },
      { name: 'b', mqttAddress: 'localhost:1884' },
    ]);
  });

  it('reads the secret from a file, without the line end', () => {
    expect(load({ flags: { secretFile: fileWith('  0123456789abcdef\n') } }).secret).toBe(
      '0123456789abcdef',
    );
  });
});

const WHOLE_NUMBER = /must be a whole number of at least \d+/;

describe('a setting that is wrong', () => {
  it.each([
    [
      'name',
      ['', '-a', 'a b', 'a/b', 'ä', 'x'.repeat(64)].slice(1),
      /up to 63 letters, digits, dots, dashes or underscores/,
    ],
    ['mqttPort', ['-1', '65536', 'mqtt', '1.5', '1883x'], WHOLE_NUMBER],
    ['httpPort', ['-1', '65536', 'http', '80.1'], WHOLE_NUMBER],
    ['replicationFactor', ['0', '8', 'three', '2.5'], WHOLE_NUMBER],
    ['shards', ['0', '257', 'many'], WHOLE_NUMBER],
    ['memtableBytes', ['0', '65535', '16M'], WHOLE_NUMBER],
    ['valueBytesMax', ['0', '1048577', '1e9'], WHOLE_NUMBER],
    ['onInvalid', ['drop', 'ACK'], /must be one of ack, close/],
    ['logLevel', ['verbose', 'INFO'], /must be one of trace, debug, info, warn, error, silent/],
  ])('is named with where it comes from and what is allowed: %s', (name, values, allowed) => {
    const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const variable = `DSS_${kebab.replaceAll('-', '_').toUpperCase()}`;
    for (const value of values) {
      const fromFlag = complaint({ flags: { [name]: value } });
      expect(fromFlag).toContain(`--${kebab} is "${value}"`);
      expect(fromFlag).toMatch(allowed);
      expect(complaint({ environment: { [variable]: value } })).toContain(
        `${variable} is "${value}"`,
      );
      const file = fileWith(`${name}: "${value}"\n`);
      expect(complaint({ file })).toContain(`${name} in ${file} is "${value}"`);
    }
  });

  it('in a source that is overruled is complained about all the same or not used', () => {
    expect(load({ flags: { mqttPort: 1 }, environment: { DSS_MQTT_PORT: 'x' } }).mqttPort).toBe(1);
  });

  it.each([
    ['shards: [1, 2]', 'shards in'],
    ['shards: {a: 1}', 'shards in'],
    ['shards: true', 'shards in'],
    ['peers: [a, b]', 'peers in'],
    ['name: {}', 'name in'],
  ])('in the file may be of another type: %s', (content, origin) => {
    expect(complaint({ file: fileWith(content) })).toContain(origin);
  });

  it('is a secret that is never printed', () => {
    const message = complaint({ file: fileWith('secret: [hunter2hunter2hunter2]') });
    expect(message).toContain('secret in');
    expect(message).not.toContain('hunter2');
  });
});

describe('a configuration file', () => {
  it('that is not there is one sentence', () => {
    const file = join(directory, 'missing.yaml');
    expect(complaint({ file })).toContain(`the configuration file ${file} cannot be read`);
    expect(complaint({ file: directory })).toContain('cannot be read');
  });

  it.each(['a: b: c', 'x: [1', '\t- a', '"'])('that is not YAML is one sentence: %j', (content) => {
    expect(complaint({ file: fileWith(content) })).toContain('is not YAML');
  });

  it.each(['just text', '- a\n- b', '42'])(
    'that holds no settings is one sentence: %j',
    (content) => {
      expect(complaint({ file: fileWith(content) })).toContain('must hold settings');
    },
  );

  it('with an unknown setting names it and the known ones', () => {
    const message = complaint({ file: fileWith('mqttPort: 1\nmqtt_port: 2\n') });
    expect(message).toContain('the unknown setting mqtt_port');
    expect(message).toContain('mqttPort');
  });
});

describe('settings that do not go together', () => {
  const secret = 'a long enough secret';

  it.each([
    ['n1', /--peers has "n1"/],
    ['n1=127.0.0.1', /name=host:port/],
    ['n1=127.0.0.1:1883,', /--peers has ""/],
    ['n1=a:1,n1=b:2', /names a node twice/],
    ['n2=a:1,n3=b:2', /names n2, n3, but not this node, n1/],
    ['n1=a:99999', /name=host:port/],
  ])('are complained about: --peers %s', (peers, sentence) => {
    expect(complaint({ flags: { peers, secret } })).toMatch(sentence);
  });

  it('are several nodes and no secret', () => {
    expect(complaint({ flags: { peers: 'n1=a:1,n2=b:2' } })).toContain('a common secret');
  });

  it('are a secret file that holds none, or a short one, or is not there', () => {
    expect(complaint({ flags: { secretFile: fileWith('short') } })).toContain(
      'at least 16 characters',
    );
    expect(complaint({ flags: { secretFile: fileWith('') } })).toContain('at least 16 characters');
    expect(complaint({ flags: { secretFile: join(directory, 'none') } })).toContain(
      'cannot be read',
    );
  });

  it('are an address that others can reach and no users', () => {
    for (const host of ['0.0.0.0', '192.168.1.5', '::']) {
      expect(complaint({ flags: { host } })).toContain('on loopback only');
    }
    for (const host of ['localhost', '::1', '127.0.0.1'])
      expect(load({ flags: { host } }).host).toBe(host);
  });
});
