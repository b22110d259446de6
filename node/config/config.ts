import { readFileSync } from 'node:fs';
import type { IngestRule } from '../../broker/ingest-rules/rule.ts';
import type { RuleSettings } from '../alerts/rules.ts';
import type { Link } from '../beside/link.ts';
import { readKeptSecret } from '../edge/kept-secret.ts';
import type { LogLevel } from '../edge/logger.ts';
import type { PeerAddress } from '../membership/formation.ts';
import type { JoinTarget } from '../membership/joining.ts';
import { type JoinToken, parseToken } from '../membership/token.ts';
import type { RetentionRule } from '../retention/rules.ts';
import {
  type Advertised,
  formatAddress,
  isLoopback,
  parseAdvertise,
  parseMembers,
  parsePeers,
} from './addresses.ts';
import { parseAlertRules } from './alerts.ts';
import { parseLinks } from './beside.ts';
import { type ConfigFile, NO_FILE, readConfigFile } from './config-file.ts';
import { invalid } from './invalid.ts';
import type { ClientLimits } from './limits.ts';
import { type ConfigSources, takeGiven } from './origin.ts';
import { parseIngest, parseRetention } from './rules.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';
import { loadTls, type TlsMaterial } from './tls.ts';
import { parseUsers, type User } from './users.ts';

/** Everything a node can be told. Later sources win: defaults, file, environment, flags (DESIGN §10). */
export interface NodeOptions extends ClientLimits {
  readonly name: string;
  readonly data: string;
  readonly listen: string;
  readonly advertise: Advertised;
  /** Everybody who can reach this node may read and write. */
  readonly anonymous: boolean;
  readonly users: readonly User[];
  readonly tls: TlsMaterial | undefined;
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly peers: readonly PeerAddress[];
  /** Creates a cluster, as soon as so many nodes are there. */
  readonly bootstrap: { readonly expect: number } | undefined;
  readonly join: JoinTarget | undefined;
  /** Of this node when it enters a cluster; later they are changed there. */
  readonly weight: number;
  readonly zone: string;
  readonly secret: string;
  /** Nobody named it: it came with the token, or was kept in the data directory. */
  readonly isSecretOwn: boolean;
  readonly replicationFactor: number;
  readonly shards: number;
  readonly memtableBytes: number;
  /** So long may a round of the log wait for more writes before it is written and synced; 0: never. */
  readonly roundsMaxWaitMs: number;
  /** What holds the tables; a data directory keeps the one that it was made with. */
  readonly storageEngine: 'lsm' | 'classic-level';
  /** 0: no limit. */
  readonly storageMaxBytes: number;
  /** The replicas of each group are compared once in so many hours; 0: only when somebody asks. */
  readonly verifyHours: number;
  /** A node that has failed for longer is dead, and its data goes to others. */
  readonly deadAfterSeconds: number;
  /** At this rate data leaves this node for replicas elsewhere. */
  readonly moveBytesPerSecond: number;
  /** The rules that the cluster begins with; later ones are made at run time. */
  readonly retention: readonly RetentionRule[];
  readonly ingest: readonly IngestRule[];
  /** Sources and sinks beside other brokers that this node can hold. */
  readonly links: readonly Link[];
  /** How the rules of alerts differ from the table. */
  readonly alertRules: RuleSettings;
  /** Is told of alerts; empty: nobody is. */
  readonly alertsWebhook: string;
  readonly valueBytesMax: number;
  readonly onInvalid: 'ack' | 'close';
  readonly logLevel: LogLevel;
}

const SECRET_CHARACTERS_MIN = 16;

/** Settings after their own checks, before it is seen whether they go together. */
type Taken = Omit<
  NodeOptions,
  | 'advertise'
  | 'peers'
  | 'bootstrap'
  | 'join'
  | 'isSecretOwn'
  | 'tls'
  | 'users'
  | 'retention'
  | 'ingest'
  | 'links'
  | 'alertRules'
> & {
  readonly advertise: string;
  readonly peers: string;
  readonly join: string;
  readonly token: string;
  readonly replace: string;
  readonly bootstrap: boolean;
  readonly expect: number;
  readonly secretFile: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
  readonly tlsClientCertificates: 'none' | 'required';
};

/** @throws {NodeError} CONFIG_INVALID, naming the setting, where it came from and what is allowed */
export function loadNodeOptions(sources: ConfigSources): NodeOptions {
  const file = sources.file === undefined ? NO_FILE : readConfigFile(sources.file);
  const given = new Map(SETTING_NAMES.map((name) => [name, takeGiven(name, sources, file)]));
  const from: From = (name) => given.get(name)?.from ?? flagOf(name);
  const taken = {} as Record<SettingName, unknown>;
  for (const name of SETTING_NAMES) taken[name] = given.get(name)?.value;
  // Who takes the place of another node has its name, if nobody says otherwise.
  taken.name ??= taken.replace;
  for (const name of SETTING_NAMES) taken[name] ??= SETTINGS[name].default;
  return combine(taken as unknown as Taken, from, file, sources.file);
}

/** What a setting is called where it was given; its flag, if it was not. */
type From = (name: SettingName) => string;

function combine(
  taken: Taken,
  from: From,
  { lists }: ConfigFile,
  path: string | undefined,
): NodeOptions {
  const { secretFile, tlsCert, tlsKey, tlsCa, tlsClientCertificates, ...single } = taken;
  const { join, token, replace, bootstrap, expect, ...rest } = single;
  const list = parsePeers(taken.peers, { ownName: taken.name, from: from('peers') });
  const own = list.find(({ name }) => name === taken.name);
  const said = { text: taken.advertise, from: from('advertise') };
  const advertise = parseAdvertise(said, { peer: own, listen: taken.listen });
  const port = advertise.mqttPort ?? taken.mqttPort;
  const alone = { name: taken.name, mqttAddress: formatAddress(advertise.host, port) };
  const options: NodeOptions = {
    ...rest,
    advertise,
    peers: list.length === 0 ? [alone] : list,
    ...takeEntrance(taken, from),
    ...takeSecret(taken, from),
    users: parseUsers(lists.users, `users in ${path}`),
    tls: loadTls({
      cert: tlsCert,
      key: tlsKey,
      ca: tlsCa,
      clientCertificates: tlsClientCertificates,
    }),
    retention: parseRetention(lists.retention, `retention in ${path}`),
    ingest: parseIngest(lists.ingest, `ingest in ${path}`),
    links: parseLinks(lists.sources, lists.sinks, `${path}`),
    alertRules: parseAlertRules(lists['alerts.rules'], `alerts.rules in ${path}`),
  };
  checkSafety(options, from);
  return options;
}

/** Safe by default (DESIGN §10 ▣): nobody opens a node to a network without having decided who may use it. */
function checkSafety(
  { listen, users, anonymous, peers, join, secret }: NodeOptions,
  from: From,
): void {
  if (users.length > 0 && anonymous) {
    throw invalid(
      `there are users, so ${from('anonymous')}, which lets everybody in, cannot be given too.`,
    );
  }
  const isOpen = !isLoopback(listen);
  if (isOpen && users.length === 0 && !anonymous) {
    throw invalid(
      `${from('listen')} is ${listen}, where others can reach this node: name "users" in the configuration file (hashes of passwords come from "dss passwd"), or give --anonymous to let everybody read and write.`,
    );
  }
  if (peers.length > 1 && secret === '') {
    throw invalid('several nodes need a common secret: give all of them the same --secret-file.');
  }
  if (join !== undefined && secret === '') {
    throw invalid(
      'to join, a node needs the cluster secret: give --token ("dss token" at a member prints it), or --secret-file.',
    );
  }
  if (isOpen && secret !== '' && secret.length < SECRET_CHARACTERS_MIN) {
    throw invalid(
      `${from('listen')} is ${listen}, where others can try secrets: ${from('secret')} must have at least ${SECRET_CHARACTERS_MIN} characters.`,
    );
  }
}

/** How a node with an empty directory gets into a cluster, if not by --peers. */
function takeEntrance(taken: Taken, from: From): Pick<NodeOptions, 'join' | 'bootstrap'> {
  const { join, token, replace, bootstrap, expect, peers } = taken;
  if ([join !== '', bootstrap, peers !== ''].filter(Boolean).length > 1) {
    throw invalid(
      '--peers, --join and --bootstrap are three ways into a cluster: give one of them.',
    );
  }
  if (expect > 1 && !bootstrap) {
    throw invalid(`${from('expect')} is how many --bootstrap waits for.`);
  }
  if (join === '') {
    const needy = replace !== '' ? from('replace') : token !== '' ? from('token') : undefined;
    if (needy !== undefined) throw invalid(`${needy} needs --join: where a member is reached.`);
    return { join: undefined, bootstrap: bootstrap ? { expect } : undefined };
  }
  const { clusterId = '', addresses = [] } = token === '' ? {} : readToken(token, from('token'));
  const target = {
    addresses: [...new Set([...parseMembers(join, from('join')), ...addresses])],
    clusterId: clusterId || undefined,
    replace: replace || undefined,
  };
  return { join: target, bootstrap: undefined };
}

/** What was said, else what the token holds, else what this node has kept. */
function takeSecret(taken: Taken, from: From): Pick<NodeOptions, 'secret' | 'isSecretOwn'> {
  const { secretFile, secret, token, data } = taken;
  const said = secretFile === '' ? secret : readSecret(secretFile);
  const brought = token === '' ? '' : readToken(token, from('token')).secret;
  if (said !== '' && brought !== '' && said !== brought) {
    throw invalid(
      `${from('token')} holds another cluster secret than the one that is given: leave that out.`,
    );
  }
  if (said !== '') return { secret: said, isSecretOwn: false };
  return { secret: brought || readKeptSecret(data) || '', isSecretOwn: true };
}

function readToken(text: string, from: string): JoinToken {
  const token = parseToken(text);
  if (token !== undefined) return token;
  throw invalid(
    `${from} is none, or not all of it: "dss token" at a member prints one, on one line.`,
  );
}

function readSecret(path: string): string {
  let secret: string;
  try {
    secret = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw invalid(`the secret file ${path} cannot be read: ${(error as Error).message}.`);
  }
  if (secret.length >= SECRET_CHARACTERS_MIN) return secret;
  throw invalid(`the secret in ${path} must have at least ${SECRET_CHARACTERS_MIN} characters.`);
}
