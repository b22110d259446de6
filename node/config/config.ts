import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';
import { LOG_LEVELS, type LogLevel } from '../edge/logger.ts';
import { NodeError } from '../errors.ts';
import type { PeerAddress } from '../membership/formation.ts';

/** Everything a node can be told. Later sources win: defaults, file, environment, flags (DESIGN §10). */
export interface NodeOptions {
  readonly name: string;
  readonly data: string;
  readonly host: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly peers: readonly PeerAddress[];
  readonly secret: string;
  readonly replicationFactor: number;
  readonly shards: number;
  readonly memtableBytes: number;
  readonly valueBytesMax: number;
  readonly onInvalid: 'ack' | 'close';
  readonly logLevel: LogLevel;
}

const MIB = 1024 * 1024;
const port = Type.Integer({ minimum: 0, maximum: 65_535 });

/** One line per setting: its default and what is allowed. */
const SETTINGS = {
  name: { default: 'n1', schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' }) },
  data: { default: './.dss/n1', schema: Type.String({ minLength: 1 }) },
  host: { default: '127.0.0.1', schema: Type.String({ minLength: 1 }) },
  mqttPort: { default: 1883, schema: port },
  httpPort: { default: 8080, schema: port },
  peers: { default: '', schema: Type.String() },
  secret: { default: '', schema: Type.String() },
  secretFile: { default: '', schema: Type.String() },
  replicationFactor: { default: 3, schema: Type.Integer({ minimum: 1, maximum: 7 }) },
  shards: { default: 64, schema: Type.Integer({ minimum: 1, maximum: 256 }) },
  memtableBytes: { default: 16 * MIB, schema: Type.Integer({ minimum: 64 * 1024 }) },
  valueBytesMax: { default: MIB, schema: Type.Integer({ minimum: 1, maximum: MIB }) },
  onInvalid: { default: 'ack', schema: Type.Enum(['ack', 'close']) },
  logLevel: { default: 'info', schema: Type.Enum([...LOG_LEVELS]) },
} as const;

type SettingName = keyof typeof SETTINGS;
type Settings = Record<SettingName, unknown>;

export interface ConfigSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML file. */
  readonly file?: string | undefined;
}

/** @throws {NodeError} CONFIG_INVALID, naming the setting, where it came from and what is allowed */
export function loadNodeOptions(sources: ConfigSources): NodeOptions {
  const settings = {} as Settings;
  const fromFile = sources.file === undefined ? {} : readConfigFile(sources.file);
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const variable = `DSS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    settings[name] =
      take(name, sources.flags[name], `--${kebab(name)}`) ??
      take(name, sources.environment[variable], variable) ??
      take(name, fromFile[name], `${name} in ${sources.file}`) ??
      SETTINGS[name].default;
  }
  return toOptions(settings);
}

function take(name: SettingName, given: unknown, origin: string): unknown {
  if (given === undefined || given === '') return undefined;
  const { schema } = SETTINGS[name];
  const value = convert(schema, given);
  if (Value.Check(schema, value)) return value;
  if (name === 'secret') throw invalid(`${origin} must be ${describe(name)}.`);
  throw invalid(`${origin} is ${JSON.stringify(given)}, but must be ${describe(name)}.`);
}

/** Flags and variables are text, and YAML takes a name like 42 for a number. Nothing is rounded or guessed. */
function convert(schema: object, given: unknown): unknown {
  const { type } = schema as { type?: string };
  if (type === 'integer' && typeof given === 'string' && /^-?\d+$/.test(given))
    return Number(given);
  if (type === 'string' && typeof given === 'number') return String(given);
  return given;
}

function describe(name: SettingName): string {
  const schema: Record<string, unknown> = { ...SETTINGS[name].schema };
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'integer') {
    const max = schema.maximum === undefined ? '' : ` and at most ${schema.maximum}`;
    return `a whole number of at least ${schema.minimum}${max}`;
  }
  if (name === 'name') {
    return 'up to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit';
  }
  return 'text';
}

function readConfigFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`the configuration file ${path} cannot be read: ${(error as Error).message}.`);
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw invalid(`the configuration file ${path} is not YAML: ${firstLine(error)}.`);
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw invalid(`the configuration file ${path} must hold settings, one "name: value" a line.`);
  }
  const unknown = Object.keys(content).find((name) => !(name in SETTINGS));
  if (unknown === undefined) return content as Record<string, unknown>;
  const allowed = Object.keys(SETTINGS).join(', ');
  throw invalid(
    `the configuration file ${path} has the unknown setting ${unknown}; known are ${allowed}.`,
  );
}

function toOptions(settings: Settings): NodeOptions {
  const { peers, secretFile, ...rest } = settings as Settings & { peers: string };
  const options = rest as unknown as Omit<NodeOptions, 'peers'>;
  if (options.host !== '127.0.0.1' && options.host !== 'localhost' && options.host !== '::1') {
    throw invalid(
      `--host is ${options.host}, but without users and TLS, which are not built yet, a node listens on loopback only: 127.0.0.1, localhost or ::1.`,
    );
  }
  const list = parsePeers(peers as string, options);
  const secret = secretFile === '' ? options.secret : readSecret(secretFile as string);
  if (list.length > 1 && secret === '') {
    throw invalid('several nodes need a common secret: give all of them the same --secret-file.');
  }
  return { ...options, secret, peers: list };
}

function parsePeers(
  text: string,
  own: { readonly name: string; readonly host: string; readonly mqttPort: number },
): PeerAddress[] {
  if (text === '') return [{ name: own.name, mqttAddress: `${own.host}:${own.mqttPort}` }];
  const peers = text.split(',').map((item) => {
    const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)=(\S+:\d+)\s*$/.exec(item);
    const peerPort = Number(match?.[2]?.split(':').at(-1));
    if (match === null || peerPort < 1 || peerPort > 65_535) {
      throw invalid(
        `--peers has "${item}", but must be a list of name=host:port, such as n1=127.0.0.1:1883.`,
      );
    }
    return { name: match[1] as string, mqttAddress: match[2] as string };
  });
  const names = new Set(peers.map(({ name }) => name));
  if (names.size !== peers.length) throw invalid('--peers names a node twice.');
  if (!names.has(own.name)) {
    throw invalid(`--peers names ${[...names].join(', ')}, but not this node, ${own.name}.`);
  }
  return peers;
}

function readSecret(path: string): string {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    if (secret.length >= 16) return secret;
  } catch (error) {
    throw invalid(`the secret file ${path} cannot be read: ${(error as Error).message}.`);
  }
  throw invalid(`the secret in ${path} must have at least 16 characters.`);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function firstLine(error: unknown): string {
  const line = String((error as Error).message).split('\n')[0] ?? '';
  return line.replace(/[:.]$/, '');
}

function invalid(message: string): NodeError {
  return new NodeError('CONFIG_INVALID', message);
}
