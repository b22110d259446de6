import { loadNodeOptions, type NodeOptions } from './config.ts';
import { NO_FILE, readConfigFile } from './config-file.ts';
import { type ConfigSources, type Given, type Origin, takeGiven } from './origin.ts';
import {
  isSecret,
  LISTS,
  type ListName,
  pathOf,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from './settings.ts';
import { HIDDEN, shownConfig } from './shown.ts';

/** A setting as it counts, and who said so. */
export interface ExplainedSetting {
  /** As it is called in a file. */
  readonly setting: string;
  readonly value: unknown;
  /** `kept`: in the data directory, by the node itself. */
  readonly origin: Origin | 'kept';
  /** What it is called there; empty where nobody said anything. */
  readonly from: string;
}

/**
 * What a node would be told, setting by setting, with what only a file can hold at the end. Secrets and hashes of
 * passwords are hidden.
 *
 * @throws {NodeError} CONFIG_INVALID, as a node would that is started so
 */
export function explainConfig(sources: ConfigSources): ExplainedSetting[] {
  const options = loadNodeOptions(sources);
  const file = sources.file === undefined ? NO_FILE : readConfigFile(sources.file);
  const given = (name: SettingName) => takeGiven(name, sources, file);
  const single = SETTING_NAMES.map((name) => {
    if (name === 'secret') return explainSecret(options, given);
    // Who takes the place of another node has its name.
    const said = given(name) ?? (name === 'name' ? given('replace') : undefined);
    return explain(name, said);
  });
  const shown = shownLists(options);
  const lists = LISTS.map((name) => {
    const isGiven = file.lists[name] !== undefined && file.lists[name] !== null;
    const from = isGiven ? `${name} in ${sources.file}` : '';
    return {
      ...{ setting: name, value: shown[name] },
      ...{ origin: isGiven ? ('file' as const) : ('default' as const), from },
    };
  });
  return [...single, ...lists];
}

function explain(name: SettingName, said: Given | undefined): ExplainedSetting {
  const { value = SETTINGS[name].default, origin = 'default', from = '' } = said ?? {};
  const shown = isSecret(name) && value !== '' ? HIDDEN : value;
  return { setting: pathOf(name), value: shown, origin, from };
}

/** It may come from elsewhere than other settings. */
function explainSecret(
  { secret, isSecretOwn }: NodeOptions,
  given: (name: SettingName) => Given | undefined,
): ExplainedSetting {
  const said = given('secretFile') ?? given('secret') ?? given('token');
  if (secret === '' || !isSecretOwn || said !== undefined) return explain('secret', said);
  return { setting: 'secret', value: HIDDEN, origin: 'kept', from: 'the data directory' };
}

function shownLists(options: NodeOptions): Readonly<Record<ListName, unknown>> {
  const { users } = shownConfig(options);
  const { retention, ingest, alertRules, links } = options;
  const shownLinks = (wanted: string) =>
    links
      .filter(({ kind }) => kind === wanted)
      .map(({ name, target }) => ({ name, url: target.url }));
  return {
    ...{ users, retention, ingest, 'alerts.rules': alertRules },
    ...{ sources: shownLinks('source'), sinks: shownLinks('sink') },
  };
}
