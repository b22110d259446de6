import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isJsonObject, type JsonObject } from '../../broker/json.ts';
import { KeyFilter } from '../../broker/key-filter.ts';
import { isTopicFilter } from '../../broker/topics.ts';
import type { BrokerTarget, Link, SinkLink, SourceLink } from '../beside/link.ts';
import { firstLine, invalid } from './invalid.ts';
import { parseIngest } from './rules.ts';

const TARGET_MEMBERS = ['name', 'url', 'user', 'password', 'passwordFile', 'ca', 'protocol'];
const MEMBERS = {
  source: [...TARGET_MEMBERS, 'rules'],
  sink: [...TARGET_MEMBERS, 'filter', 'topicPrefix'],
} as const;
const PROTOCOLS: Readonly<Record<string, 4 | 5>> = { '5': 5, '3.1.1': 4 };
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'mqtt:': '1883', 'mqtts:': '8883' };
const LINKS_MAX = 100;
const TEXT_BYTES_MAX = 1_024;

/**
 * The sources and sinks beside other brokers. `origin` is the path of the file.
 *
 * @throws {NodeError} CONFIG_INVALID, saying which one is wrong and what is allowed, and never a password
 */
export function parseLinks(sources: unknown, sinks: unknown, origin: string): Link[] {
  const given = [
    ...listOf(sources, `sources in ${origin}`).map((item, index) =>
      parseSource(item, `source ${index + 1} in ${origin}`),
    ),
    ...listOf(sinks, `sinks in ${origin}`).map((item, index) =>
      parseSink(item, `sink ${index + 1} in ${origin}`),
    ),
  ];
  if (given.length > LINKS_MAX) {
    throw invalid(`${origin} has more than ${LINKS_MAX} sources and sinks.`);
  }
  const names = new Set<string>();
  for (const { name } of given) {
    if (names.has(name)) {
      throw invalid(
        `${origin} has ${name} twice: sources and sinks need names of their own, by which the other broker knows them.`,
      );
    }
    names.add(name);
  }
  refuseCircles(given);
  return given;
}

function parseSource(item: unknown, where: string): SourceLink {
  const { name, target, given } = parseCommon('source', item, where);
  const rules = parseIngest(given.rules, `rules of the source ${name}`);
  if (rules.length > 0) return { kind: 'source', name, target, rules };
  throw invalid(
    `the source ${name} needs rules, which say what of the other broker is stored, such as [{filter: zigbee2mqtt/#}].`,
  );
}

function parseSink(item: unknown, where: string): SinkLink {
  const { name, target, given } = parseCommon('sink', item, where);
  const { filter, topicPrefix = '' } = given;
  if (typeof filter !== 'string' || !isTopicFilter(filter) || isLong(filter)) {
    throw invalid(
      `the sink ${name} needs a filter of the keys to publish: an MQTT filter such as plant1/#, or "#" for all.`,
    );
  }
  const isTopic = typeof topicPrefix === 'string' && /^(?!\$)([^+#\0]+\/)?$/u.test(topicPrefix);
  if (!isTopic || isLong(topicPrefix)) {
    throw invalid(
      `topicPrefix of the sink ${name} must be how topics begin there: levels with a slash after each, such as mirror/, without "+", "#" and a "$" in front.`,
    );
  }
  return { kind: 'sink', name, target, filter, topicPrefix };
}

function parseCommon(kind: Link['kind'], item: unknown, where: string) {
  if (!isJsonObject(item)) {
    throw invalid(`${where} must have settings of its own: ${MEMBERS[kind].join(', ')}.`);
  }
  const stranger = Object.keys(item).find((member) => !MEMBERS[kind].includes(member));
  if (stranger !== undefined) {
    throw invalid(
      `${where} has the unknown setting ${stranger}; known are ${MEMBERS[kind].join(', ')}.`,
    );
  }
  const { name } = item;
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw invalid(
      `${where} needs a name: up to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit.`,
    );
  }
  return { name, target: parseTarget(item, `the ${kind} ${name}`), given: item };
}

function parseTarget(item: JsonObject, whose: string): BrokerTarget {
  const url = parseUrl(item.url, whose);
  const { user, protocol = '5' } = item;
  if (user !== undefined && (typeof user !== 'string' || user === '' || isLong(user))) {
    throw invalid(`user of ${whose} must be a name, as text.`);
  }
  const password = parsePassword(item, whose);
  if (password !== undefined && user === undefined) {
    throw invalid(`${whose} has a password, but no user.`);
  }
  const protocolVersion = PROTOCOLS[String(protocol)];
  if (protocolVersion === undefined) {
    throw invalid(
      `protocol of ${whose} is ${JSON.stringify(protocol)}, but must be 5 or "3.1.1", of MQTT.`,
    );
  }
  return { url, user, password, ca: parseCa(item, url, whose), protocolVersion };
}

/** With its port, and nothing that could differ between two ways to write the same. */
function parseUrl(given: unknown, whose: string): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
  const defaultPort = DEFAULT_PORTS[url?.protocol ?? ''];
  if (url === undefined || url.hostname === '' || defaultPort === undefined) {
    throw invalid(
      `${whose} needs a url: where the other broker is, such as mqtt://192.168.1.5:1883 or mqtts://broker.example.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `url of ${whose} has a user or password in it, and is shown to many: use "user" and "passwordFile".`,
    );
  }
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw invalid(`url of ${whose} must end with the host or its port.`);
  }
  return `${url.protocol}//${url.hostname.toLowerCase()}:${url.port || defaultPort}`;
}

function parsePassword({ password, passwordFile }: JsonObject, whose: string): string | undefined {
  if (passwordFile === undefined) {
    if (password === undefined || (typeof password === 'string' && password !== '')) {
      return password;
    }
    throw invalid(`password of ${whose} must be text.`);
  }
  if (password !== undefined) {
    throw invalid(`${whose} has a password and a passwordFile: one of them is enough.`);
  }
  const path = String(passwordFile);
  const read = readNamed(path, `passwordFile of ${whose}`).toString('utf8').trim();
  if (read === '') throw invalid(`passwordFile of ${whose} names ${path}, which is empty.`);
  return read;
}

function parseCa({ ca }: JsonObject, url: string, whose: string): Uint8Array | undefined {
  if (ca === undefined) return undefined;
  if (!url.startsWith('mqtts:')) {
    throw invalid(`${whose} has a ca, but its url is not mqtts://, so there is no certificate.`);
  }
  const read = readNamed(String(ca), `ca of ${whose}`);
  try {
    new X509Certificate(read);
  } catch (error) {
    throw invalid(`ca of ${whose} names ${ca}, which cannot be used: ${firstLine(error)}.`);
  }
  return read;
}

/** What a sink publishes must not come back through a source, or it would go round for ever. */
function refuseCircles(links: readonly Link[]): void {
  for (const sink of links) {
    if (sink.kind !== 'sink') continue;
    const published = new KeyFilter(sink.topicPrefix + sink.filter);
    for (const source of links) {
      if (source.kind !== 'source' || source.target.url !== sink.target.url) continue;
      const rule = source.rules.find(({ filter, except }) => {
        const isLeftOut = except.some((excepted) => new KeyFilter(excepted).covers(published));
        return new KeyFilter(filter).overlaps(published) && !isLeftOut;
      });
      if (rule === undefined) continue;
      throw invalid(
        `the sink ${sink.name} publishes ${sink.topicPrefix}${sink.filter} where the source ${source.name} reads ${rule.filter}, so values would go round for ever: give the sink a topicPrefix such as mirror/, and the rule "except: mirror/#".`,
      );
    }
  }
}

function listOf(given: unknown, origin: string): readonly unknown[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given;
  throw invalid(`${origin} must be a list.`);
}

function readNamed(path: string, whose: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw invalid(`${whose} names ${path}, which cannot be read: ${(error as Error).message}.`);
  }
}

function isLong(text: string): boolean {
  return Buffer.byteLength(text) > TEXT_BYTES_MAX;
}
