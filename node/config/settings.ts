import { isIP } from 'node:net';
import { LOG_LEVELS } from '../edge/logger.ts';
import { isWeight, NODES_MAX } from '../settings/nodes.ts';
import { parseByteSize } from './byte-size.ts';
import { invalid } from './invalid.ts';
import { LIMIT_SETTINGS } from './limits.ts';
import { matches, type Schema, Type } from './schema.ts';

const MIB = 1024 * 1024;
const port = Type.Integer({ minimum: 0, maximum: 65_535 });
const text = Type.String({ minLength: 1 });

interface Setting {
  readonly default: unknown;
  readonly schema: Schema;
  /** Where it stands in the file, if not under its own name. */
  readonly path?: string;
  /** What is allowed, where the schema does not say it well. */
  readonly allowed?: string;
  readonly check?: (value: unknown) => boolean;
  readonly isByteSize?: true;
  /** It is shown to nobody. */
  readonly isSecret?: true;
}

/** One line per setting that is a single value: its default and what is allowed. */
export const SETTINGS = {
  name: {
    default: 'n1',
    schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }),
    allowed:
      'up to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  },
  data: { default: './.dss/n1', schema: text },
  listen: {
    default: '127.0.0.1',
    schema: text,
    allowed: 'an address of this machine without a port, such as 127.0.0.1 or 0.0.0.0',
    check: (value: unknown) => isIP(String(value)) !== 0 || /^[\w.-]+$/.test(String(value)),
  },
  advertise: { default: '', schema: Type.String() },
  anonymous: { default: false, schema: Type.Boolean(), allowed: 'true or false' },
  mqttPort: { default: 1883, schema: port },
  httpPort: { default: 8080, schema: port },
  peers: { default: '', schema: Type.String() },
  join: { default: '', schema: Type.String() },
  token: { default: '', schema: Type.String(), isSecret: true },
  replace: { default: '', schema: Type.String() },
  bootstrap: { default: false, schema: Type.Boolean(), allowed: 'true or false' },
  expect: { default: 1, schema: Type.Integer({ minimum: 1, maximum: NODES_MAX }) },
  zone: {
    default: '',
    schema: Type.String({ pattern: '^[A-Za-z0-9._-]{0,63}$' }),
    allowed: 'up to 63 letters, digits, dots, dashes or underscores',
  },
  weight: {
    default: 1,
    schema: Type.Number(),
    allowed: 'a number above 0 and at most 100',
    check: isWeight,
  },
  secret: { default: '', schema: Type.String(), isSecret: true },
  secretFile: { default: '', schema: Type.String() },
  tlsCert: { default: '', schema: text, path: 'tls.cert' },
  tlsKey: { default: '', schema: text, path: 'tls.key' },
  tlsCa: { default: '', schema: text, path: 'tls.ca' },
  tlsClientCertificates: {
    default: 'none',
    schema: Type.Enum(['none', 'required']),
    path: 'tls.clientCertificates',
  },
  replicationFactor: { default: 3, schema: Type.Integer({ minimum: 1, maximum: 7 }) },
  shards: { default: 16, schema: Type.Integer({ minimum: 1, maximum: 256 }) },
  memtableBytes: {
    default: 16 * MIB,
    schema: Type.Integer({ minimum: 64 * 1024 }),
    allowed: 'a size of at least 64KiB, such as 16MiB',
    isByteSize: true,
  },
  roundsMaxWaitMs: {
    default: 0,
    schema: Type.Integer({ minimum: 0, maximum: 100 }),
    path: 'rounds.maxWaitMs',
    allowed: 'a whole number of milliseconds up to 100, or 0 for no waiting',
  },
  storageEngine: {
    default: 'lsm',
    schema: Type.Enum(['lsm', 'classic-level']),
    path: 'storage.engine',
  },
  storageMaxBytes: {
    default: 0,
    schema: Type.Integer({ minimum: 0 }),
    path: 'storage.maxBytes',
    allowed: 'a size of at least 1MiB, such as 10GiB, or 0 for no limit',
    check: (value: unknown) => value === 0 || (value as number) >= MIB,
    isByteSize: true,
  },
  verifyHours: {
    default: 24,
    schema: Type.Number(),
    path: 'storage.verifyHours',
    allowed: 'a number of hours up to 8760, or 0 for never',
    check: (value: unknown) => (value as number) >= 0 && (value as number) <= 8_760,
  },
  deadAfterSeconds: { default: 300, schema: Type.Integer({ minimum: 1, maximum: 7 * 24 * 3_600 }) },
  moveBytesPerSecond: {
    default: 64 * MIB,
    schema: Type.Integer({ minimum: 64 * 1024 }),
    allowed: 'a size of at least 64KiB, such as 10MiB',
    isByteSize: true,
  },
  alertsWebhook: {
    default: '',
    schema: Type.String(),
    path: 'alerts.webhook',
    allowed: 'an address such as https://alerts.example/dss',
    check: (value: unknown) => isWebAddress(String(value)),
    // Who knows it can speak in the name of the cluster.
    isSecret: true,
  },
  valueBytesMax: {
    default: MIB,
    schema: Type.Integer({ minimum: 1, maximum: MIB }),
    allowed: 'a size of at most 1MiB, such as 64KiB',
    isByteSize: true,
  },
  ...LIMIT_SETTINGS,
  onInvalid: { default: 'ack', schema: Type.Enum(['ack', 'close']) },
  logLevel: { default: 'info', schema: Type.Enum([...LOG_LEVELS]) },
} as const satisfies Record<string, Setting>;

/** Settings that only the file can hold: lists, and rules by name. */
export const LISTS = ['users', 'retention', 'ingest', 'sources', 'sinks', 'alerts.rules'] as const;

export type SettingName = keyof typeof SETTINGS;
export type ListName = (typeof LISTS)[number];

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSecret(name: SettingName): boolean {
  return (SETTINGS[name] as Setting).isSecret === true;
}

/** As it stands in the file: `tls.cert`. */
export function pathOf(name: SettingName): string {
  return (SETTINGS[name] as Setting).path ?? name;
}

/** As it is called in the environment: `DSS_TLS_CERT`. */
export function variableOf(name: SettingName): string {
  return `DSS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** As it is called on the command line: `--tls-cert`. */
export function flagOf(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The value that was given, undefined if none was.
 *
 * @throws {NodeError} CONFIG_INVALID, saying where it comes from and what is allowed
 */
export function takeSetting(name: SettingName, given: unknown, origin: string): unknown {
  if (given === undefined || given === '') return undefined;
  const setting: Setting = SETTINGS[name];
  const value = convert(setting, given);
  if (matches(setting.schema, value) && (setting.check?.(value) ?? true)) return value;
  if (isSecret(name)) throw invalid(`${origin} must be ${describe(setting)}.`);
  throw invalid(`${origin} is ${JSON.stringify(given)}, but must be ${describe(setting)}.`);
}

/** Flags and variables are text, and YAML takes a name like 42 for a number. Nothing is rounded or guessed. */
function convert({ schema, isByteSize }: Setting, given: unknown): unknown {
  const { type } = schema;
  if (typeof given === 'string') {
    if (isByteSize === true) return parseByteSize(given);
    if (type === 'integer' && /^-?\d+$/.test(given)) return Number(given);
    if (type === 'number' && /^\d+(\.\d+)?$/.test(given)) return Number(given);
    if (type === 'boolean' && /^(true|false)$/.test(given)) return given === 'true';
  }
  if (type === 'string' && typeof given === 'number') return String(given);
  return given;
}

function describe({ schema, allowed }: Setting): string {
  if (allowed !== undefined) return allowed;
  if (schema.type === 'enum') return `one of ${schema.enum.join(', ')}`;
  if (schema.type !== 'integer') return 'text';
  const max = schema.maximum === undefined ? '' : ` and at most ${schema.maximum}`;
  return `a whole number of at least ${schema.minimum}${max}`;
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
