import { isJsonObject } from '../../broker/json.ts';
import { isTopicFilter } from '../../broker/topics.ts';
import { type PasswordHash, parsePasswordHash } from '../edge/password-hash.ts';
import { NODE_USER_PREFIX } from '../transport/secret.ts';
import { invalid } from './invalid.ts';

/** Somebody who may connect, and what to. */
export interface User {
  readonly name: string;
  readonly password: PasswordHash;
  /** MQTT filters on keys, and on ordinary topics of the same name. */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

const MEMBERS = ['name', 'password', 'read', 'write'];
const USERS_MAX = 10_000;
const NAME_CHARACTERS_MAX = 256;
const FILTER_BYTES_MAX = 1_024;

/** @throws {NodeError} CONFIG_INVALID, naming the user, and never what was given for a password */
export function parseUsers(given: unknown, origin: string): User[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    throw invalid(`${origin} must be a list of users, each with name, password, read and write.`);
  }
  if (given.length > USERS_MAX) throw invalid(`${origin} has more than ${USERS_MAX} users.`);
  const users = given.map((item, index) => parseUser(item, `user ${index + 1} of ${origin}`));
  const names = new Set<string>();
  for (const { name } of users) {
    if (names.has(name)) throw invalid(`${origin} names the user ${name} twice.`);
    names.add(name);
  }
  return users;
}

function parseUser(item: unknown, where: string): User {
  if (!isJsonObject(item)) {
    throw invalid(`${where} must have name, password, read and write.`);
  }
  const { name, password, read, write } = item;
  if (!isUserName(name)) {
    throw invalid(
      `${where} needs a name: up to ${NAME_CHARACTERS_MAX} characters without a colon, not beginning with ${NODE_USER_PREFIX}.`,
    );
  }
  const stranger = Object.keys(item).find((member) => !MEMBERS.includes(member));
  if (stranger !== undefined) {
    throw invalid(
      `${where}, ${name}, has the unknown setting ${stranger}; known are ${MEMBERS.join(', ')}.`,
    );
  }
  const hash = typeof password === 'string' ? parsePasswordHash(password) : undefined;
  if (hash === undefined) {
    throw invalid(`the password of ${where}, ${name}, must be a hash: make one with "dss passwd".`);
  }
  const filters = (list: unknown, what: string) =>
    parseFilters(list, `${what} of ${where}, ${name}`);
  return { name, password: hash, read: filters(read, 'read'), write: filters(write, 'write') };
}

/** HTTP's Basic authentication ends the name at the first colon (RFC 7617 §2). */
function isUserName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length > NAME_CHARACTERS_MAX) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /^[^\u0000-\u001f\u007f:]+$/.test(name) && !name.startsWith(NODE_USER_PREFIX);
}

function parseFilters(given: unknown, where: string): string[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given))
    throw invalid(`${where} must be a list of filters, such as [plant1/#].`);
  return given.map((filter) => {
    const isFilter =
      typeof filter === 'string' &&
      isTopicFilter(filter) &&
      Buffer.byteLength(filter) <= FILTER_BYTES_MAX;
    if (!isFilter) {
      throw invalid(`${where} has ${JSON.stringify(filter)}, which is not an MQTT filter.`);
    }
    if (filter.startsWith('dss/')) {
      throw invalid(
        `${where} has ${JSON.stringify(filter)}, but filters are about keys, which begin after dss/put/.`,
      );
    }
    return filter;
  });
}
