import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { complaint, directory, fileWith, load } from './load.ts';

const WHOLE_NUMBER = /must be a whole number of at least \d+/;

describe('the configuration of a node', () => {
  it('has a default for everything', () => {
    expect(load({})).toEqual({
      name: 'n1',
      data: './.dss/n1',
      listen: '127.0.0.1',
      advertise: { host: '127.0.0.1', mqttPort: undefined },
      anonymous: false,
      users: [],
      tls: undefined,
      mqttPort: 1883,
      httpPort: 8080,
      peers: [{ name: 'n1', mqttAddress: '127.0.0.1:1883' }],
      join: undefined,
      bootstrap: undefined,
      weight: 1,
      zone: '',
      secret: '',
      isSecretOwn: true,
      replicationFactor: 3,
      shards: 16,
      memtableBytes: 16 * 1024 * 1024,
      roundsMaxWaitMs: 0,
      deadAfterSeconds: 300,
      moveBytesPerSecond: 64 * 1024 * 1024,
      storageEngine: 'lsm',
      storageMaxBytes: 0,
      verifyHours: 24,
      retention: [],
      ingest: [],
      links: [],
      valueBytesMax: 1024 * 1024,
      connectionsMax: 10_000,
      connectionsPerSecond: 1_000,
      connectionsPerUserMax: 0,
      sessionsMax: 50_000,
      publishesPerSecond: 0,
      publishBytesPerSecond: 0,
      publishBurstSeconds: 2,
      packetBytesMax: 2 * 1024 * 1024,
      inflightPutsMax: 20_000,
      subscriptionsMax: 2_000,
      topicLevelsMax: 100,
      queuedMessagesMax: 1_000,
      queuedBytesMax: 1024 * 1024,
      queuedSecondsMax: 14 * 24 * 60 * 60,
      alertRules: {},
      alertsWebhook: '',
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
      shards: 16,
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

  it('has what clients may take of it in a group of its own', () => {
    const file = fileWith('limits:\n  connectionsMax: 50\n  packetBytesMax: 64KiB\n');
    const environment = { DSS_PUBLISH_BYTES_PER_SECOND: '1KiB' };
    const flags = { connectionsMax: '60' };
    expect(load({ file, environment, flags })).toMatchObject({
      connectionsMax: 60,
      packetBytesMax: 65_536,
      publishBytesPerSecond: 1_024,
    });
  });

  it.each([
    ['connectionsMax', ['0', '-1', 'all'], WHOLE_NUMBER],
    ['publishesPerSecond', ['-1', '1.5', '100KiB'], /whole number up to 1000000000, or 0 for no/],
    ['publishBytesPerSecond', ['-1', '1GiB', 'fast'], /a size up to 64MiB, such as 100KiB, or 0/],
    ['packetBytesMax', ['1', '65MiB'], /a size from 1KiB to 64MiB, such as 2MiB/],
    ['topicLevelsMax', ['0', '101'], /a whole number of at least 1 and at most 100/],
  ] as const)('says what is allowed of a limit: %s', (name, values, allowed) => {
    for (const value of values) {
      const given = complaint({ file: fileWith(`limits: {${name}: "${value}"}\n`) });
      expect(given).toContain(`limits.${name} in `);
      expect(given).toMatch(allowed);
    }
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
    ['memtableBytes', ['0', '65535', '63KiB', '16X'], /must be a size of at least 64KiB/],
    ['valueBytesMax', ['0', '1048577', '2MiB', '1e9'], /must be a size of at most 1MiB/],
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

  it('are called what they are called where they were given', () => {
    const file = fileWith('peers: foo\n');
    expect(complaint({ file })).toContain(`peers in ${file} has "foo"`);
    expect(complaint({ environment: { DSS_ADVERTISE: '0.0.0.0' } })).toContain(
      'DSS_ADVERTISE is "0.0.0.0"',
    );
    expect(complaint({ environment: { DSS_TOKEN: 'none' } })).toContain('DSS_TOKEN needs --join');
    expect(complaint({ environment: { DSS_JOIN: 'nowhere' } })).toContain('DSS_JOIN has "nowhere"');
    const open = fileWith('listen: 0.0.0.0\n');
    expect(complaint({ file: open })).toContain(`listen in ${open} is 0.0.0.0`);
  });

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
    for (const listen of ['0.0.0.0', '192.168.1.5', '::', 'gateway.lan']) {
      const sentence = complaint({ flags: { listen } });
      expect(sentence).toContain(`--listen is ${listen}`);
      expect(sentence).toContain('"users"');
      expect(sentence).toContain('--anonymous');
      expect(load({ flags: { listen, anonymous: true } })).toMatchObject({ anonymous: true });
      expect(load({ flags: { listen }, file: fileWith(USERS) }).listen).toBe(listen);
    }
    for (const listen of ['localhost', '::1', '127.0.0.1', '127.1.2.3'])
      expect(load({ flags: { listen } }).listen).toBe(listen);
  });

  it('are users and a door that is open to all', () => {
    const file = fileWith(`${USERS}anonymous: true\n`);
    expect(complaint({ file })).toContain(`anonymous in ${file}`);
  });

  it('are an address that others can reach and a secret that can be guessed', () => {
    const flags = { listen: '0.0.0.0', anonymous: true };
    expect(complaint({ flags: { ...flags, secret: 'short' } })).toContain('16 characters');
    expect(load({ flags: { ...flags, secret } }).secret).toBe(secret);
  });
});

const HASH = `scrypt:16384:8:5:${'c2Fs'.repeat(5)}:${'aGFz'.repeat(10)}`;
const USERS = `users:
  - name: sensor
    password: ${HASH}
    read: [plant1/+/set]
    write: ['plant1/#']
`;

describe('users', () => {
  it('come from the file', () => {
    expect(load({ file: fileWith(USERS) }).users).toEqual([
      {
        name: 'sensor',
        password: expect.objectContaining({ cost: 16384, blockSize: 8, parallelization: 5 }),
        read: ['plant1/+/set'],
        write: ['plant1/#'],
      },
    ]);
    const file = fileWith(`users: [{name: watcher, password: '${HASH}', read: ['#']}]\n`);
    expect(load({ file }).users[0]).toMatchObject({ read: ['#'], write: [] });
    expect(load({ file: fileWith('users:\n') }).users).toEqual([]);
  });

  const user = (members: string) => `users: [{${members}}]\n`;
  it.each([
    ['users: sensor\n', /must be a list of users/],
    ['users: [sensor]\n', /user 1 .* must have name, password, read and write/],
    [user(`password: '${HASH}'`), /user 1 .* needs a name/],
    [user(`name: 'a:b', password: '${HASH}'`), /needs a name/],
    [user(`name: dss-node/x, password: '${HASH}'`), /not beginning with dss-node\//],
    [user('name: ann, password: hunter2hunter2'), /password of user 1 .*, ann, .*dss passwd/],
    [user('name: ann, password: 12345678'), /dss passwd/],
    [user('name: ann'), /dss passwd/],
    [user(`name: ann, password: '${HASH}', reads: ['#']`), /unknown setting reads/],
    [user(`name: ann, password: '${HASH}', read: '#'`), /read of .*ann must be a list of filters/],
    [user(`name: ann, password: '${HASH}', write: ['a/#/b']`), /"a\/#\/b".*not an MQTT filter/],
    [user(`name: ann, password: '${HASH}', write: [1]`), /not an MQTT filter/],
    [user(`name: ann, password: '${HASH}', write: ['dss/put/#']`), /begin after dss\/put\//],
    [`${USERS}${USERS.split('\n').slice(1).join('\n')}`, /names the user sensor twice/],
  ])('that are wrong are named, without their passwords: %j', (content, sentence) => {
    const message = complaint({ file: fileWith(content) });
    expect(message).toMatch(sentence);
    expect(message).not.toMatch(/hunter2|12345678|scrypt:/);
  });

  it('cannot come from flags or the environment', () => {
    expect(load({ flags: { users: [] }, environment: { DSS_USERS: 'x' } }).users).toEqual([]);
  });
});

describe('what a node tells others about its address', () => {
  const advertised = (flags: Record<string, unknown>) => load({ flags }).advertise;
  const open = { listen: '0.0.0.0', anonymous: true };

  it('is what it was told', () => {
    expect(advertised({ advertise: 'gw1.lan' })).toEqual({ host: 'gw1.lan', mqttPort: undefined });
    expect(advertised({ advertise: '10.0.0.1:2883' })).toEqual({
      host: '10.0.0.1',
      mqttPort: 2883,
    });
    expect(advertised({ advertise: 'fe80::1' })).toEqual({ host: 'fe80::1', mqttPort: undefined });
    expect(advertised({ advertise: '[fe80::1]:1' })).toEqual({ host: 'fe80::1', mqttPort: 1 });
  });

  it('is else what its peers call it, and else where it listens', () => {
    const peers = 'a=10.0.0.1:1883,b=10.0.0.2:2883';
    const secret = 'a long enough secret';
    expect(advertised({ ...open, name: 'b', peers, secret })).toEqual({
      host: '10.0.0.2',
      mqttPort: 2883,
    });
    expect(advertised({ ...open, listen: '10.0.0.9' }).host).toBe('10.0.0.9');
    expect(advertised(open).host).not.toMatch(/^(0\.0\.0\.0|)$/);
    const { peers: alone } = load({ flags: { advertise: 'gw1.lan', mqttPort: 7 } });
    expect(alone).toEqual([{ name: 'n1', mqttAddress: 'gw1.lan:7' }]);
    expect(load({ flags: { listen: '::1' } }).peers[0]?.mqttAddress).toBe('[::1]:1883');
  });

  it.each(['0.0.0.0', '::', 'a:b', 'a:99999', 'http://a', 'a b', '[a]:1'])(
    'is not %s',
    (advertise) => {
      expect(complaint({ flags: { advertise } })).toContain(`--advertise is "${advertise}"`);
    },
  );
});

describe('the storage engine', () => {
  it('is one of two, from flag, environment or file', () => {
    const file = fileWith('storage: {engine: classic-level}\n');
    const environment = { DSS_STORAGE_ENGINE: 'classic-level' };
    for (const sources of [
      { file },
      { environment },
      { flags: { storageEngine: 'classic-level' } },
    ]) {
      expect(load(sources).storageEngine).toBe('classic-level');
    }
    const sentence = complaint({ environment: { DSS_STORAGE_ENGINE: 'rocksdb' } });
    expect(sentence).toBe(
      'DSS_STORAGE_ENGINE is "rocksdb", but must be one of lsm, classic-level.',
    );
  });
});

describe('how long a round of the log waits', () => {
  it('is in milliseconds, under rounds in the file', () => {
    expect(load({ flags: { roundsMaxWaitMs: 5 } }).roundsMaxWaitMs).toBe(5);
    expect(load({ file: fileWith('rounds: {maxWaitMs: 20}\n') }).roundsMaxWaitMs).toBe(20);
    expect(load({ environment: { DSS_ROUNDS_MAX_WAIT_MS: '7' } }).roundsMaxWaitMs).toBe(7);
    expect(complaint({ flags: { roundsMaxWaitMs: '101' } })).toContain('--rounds-max-wait-ms is');
  });
});

describe('how often replicas are compared', () => {
  it('is in hours, also parts of one, and 0 for never', () => {
    expect(load({ flags: { verifyHours: '0.5' } }).verifyHours).toBe(0.5);
    expect(load({ file: fileWith('storage: {verifyHours: 0}\n') }).verifyHours).toBe(0);
    expect(complaint({ flags: { verifyHours: '9000' } })).toContain('--verify-hours is "9000"');
  });
});

describe('the budget on disk', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['10GiB', 10 * 1024 ** 3],
    ['1.5 GB', 1_500_000_000],
    ['500mb', 500_000_000],
  ])('may have a unit: %s', (text, bytes) => {
    expect(load({ flags: { storageMaxBytes: text } }).storageMaxBytes).toBe(bytes);
    const file = fileWith(`storage: {maxBytes: ${text}}\n`);
    expect(load({ file }).storageMaxBytes).toBe(bytes);
  });

  it.each(['10G', '-1', 'all', '1', '1023KiB', '1e9', '9999999TiB'])('is not %s', (text) => {
    const sentence = complaint({ flags: { storageMaxBytes: text } });
    expect(sentence).toContain(`--storage-max-bytes is "${text}"`);
    expect(sentence).toContain('10GiB');
    const file = fileWith(`storage: {maxBytes: "${text}"}\n`);
    expect(complaint({ file })).toContain(`storage.maxBytes in ${file} is "${text}"`);
  });
});

describe('rules', () => {
  it('that the cluster begins with come from the file', () => {
    const file = fileWith(`
retention:
  - {prefix: plant1, keep: 30d, versions: 100}
ingest:
  - {name: plugs, filter: tele/+/SENSOR}
  - {preset: zigbee2mqtt}
`);
    const { retention, ingest } = load({ file });
    expect(retention).toEqual([
      { prefix: 'plant1', keepMs: 30 * 24 * 3_600_000, versions: 100, ttlMs: 0 },
    ]);
    expect(ingest[0]).toMatchObject({ name: 'plugs', filter: 'tele/+/SENSOR' });
    expect(ingest.length).toBeGreaterThan(1);
  });

  it.each([
    ['retention: 7d\n', /retention in .* must be a list of rules/],
    ['retention: [{prefix: a}, {prefix: b, keep: long}]\n', /retention in .*, rule 2: .*keep/],
    ['ingest: [{filter: a/#/b}]\n', /ingest in .*, rule 1: /],
    ['ingest: [{preset: none}]\n', /rule 1: .*zigbee2mqtt/],
    ['ingest: [{preset: shelly, filter: a}]\n', /a preset has no "filter"/],
    ['ingest: [{preset: tasmota, timeZone: 1}]\n', /"timeZone" must be a name/],
  ])('that are wrong are counted: %j', (content, sentence) => {
    expect(complaint({ file: fileWith(content) })).toMatch(sentence);
  });
});
