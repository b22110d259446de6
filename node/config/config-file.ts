import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { isJsonObject } from '../../broker/json.ts';
import { firstLine, invalid } from './invalid.ts';
import { LISTS, type ListName, pathOf, SETTING_NAMES, type SettingName } from './settings.ts';

/** What a configuration file says, not checked yet. */
export interface ConfigFile {
  readonly settings: Readonly<Partial<Record<SettingName, unknown>>>;
  readonly lists: Readonly<Partial<Record<ListName, unknown>>>;
}

export const NO_FILE: ConfigFile = { settings: {}, lists: {} };

/** @throws {NodeError} CONFIG_INVALID: it cannot be read, is not YAML, or has a setting that nobody knows */
export function readConfigFile(path: string): ConfigFile {
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
  if (content === null || content === undefined) return NO_FILE;
  if (!isJsonObject(content)) {
    throw invalid(`the configuration file ${path} must hold settings, one "name: value" a line.`);
  }
  const entries = flatten(content, path);
  const known = [...SETTING_NAMES.map(pathOf), ...LISTS];
  const unknown = [...entries.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `the configuration file ${path} has the unknown setting ${unknown}; known are ${known.join(', ')}.`,
    );
  }
  return {
    settings: Object.fromEntries(SETTING_NAMES.map((name) => [name, entries.get(pathOf(name))])),
    lists: Object.fromEntries(LISTS.map((name) => [name, entries.get(name)])),
  };
}

/** `tls: {cert: …}` is the setting `tls.cert`. */
function flatten(content: object, path: string): Map<string, unknown> {
  const groups = new Set(
    SETTING_NAMES.map(pathOf).flatMap((name) => (name.includes('.') ? name.split('.', 1) : [])),
  );
  const entries = new Map<string, unknown>();
  for (const [name, value] of Object.entries(content)) {
    if (!groups.has(name)) {
      entries.set(name, value);
    } else if (isJsonObject(value)) {
      for (const [inner, innerValue] of Object.entries(value)) {
        entries.set(`${name}.${inner}`, innerValue);
      }
    } else if (value !== null) {
      const members = SETTING_NAMES.map(pathOf).filter((known) => known.startsWith(`${name}.`));
      throw invalid(
        `${name} in ${path} must hold settings of its own: ${members.map((member) => member.slice(name.length + 1)).join(', ')}.`,
      );
    }
  }
  return entries;
}
