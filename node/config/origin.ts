import type { ConfigFile } from './config-file.ts';
import { flagOf, pathOf, type SettingName, takeSetting, variableOf } from './settings.ts';

export interface ConfigSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML file. */
  readonly file?: string | undefined;
}

/** Who said it; a later one wins: `default < file < environment < flag` (DESIGN §10). */
export type Origin = 'default' | 'file' | 'environment' | 'flag';

export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
  /** What it is called there: `--tls-cert`, `DSS_TLS_CERT`, `tls.cert in node.yaml`. */
  readonly from: string;
}

/**
 * What was said about a setting, undefined if nothing was.
 *
 * @throws {NodeError} CONFIG_INVALID, naming the setting, where it came from and what is allowed
 */
export function takeGiven(
  name: SettingName,
  { flags, environment, file: path }: ConfigSources,
  file: ConfigFile,
): Given | undefined {
  const variable = variableOf(name);
  return (
    take(name, flags[name], { origin: 'flag', from: flagOf(name) }) ??
    take(name, environment[variable], { origin: 'environment', from: variable }) ??
    take(name, file.settings[name], { origin: 'file', from: `${pathOf(name)} in ${path}` })
  );
}

function take(name: SettingName, given: unknown, where: Omit<Given, 'value'>): Given | undefined {
  const value = takeSetting(name, given, where.from);
  return value === undefined ? undefined : { value, ...where };
}
