import type { NodeOptions } from './config.ts';
import { isSecret, pathOf, SETTING_NAMES, SETTINGS } from './settings.ts';

export const HIDDEN = '(hidden)';

/**
 * What a node was told, as far as that is not the default, under the names that it has in a file: for `GET /v1/config`.
 * Without secrets and hashes of passwords; of TLS it is said whether there is any.
 */
export function shownConfig(options: NodeOptions): Readonly<Record<string, unknown>> {
  const taken = options as unknown as Readonly<Record<string, unknown>>;
  const single = SETTING_NAMES.flatMap((name) => {
    const value = taken[name];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    if (!isPlain || value === SETTINGS[name].default) return [];
    return [[pathOf(name), isSecret(name) ? HIDDEN : value] as const];
  });
  const { advertise, peers, retention, ingest, tls, alertRules, users, links } = options;
  return {
    ...Object.fromEntries(single),
    ...{ advertise, peers, retention, ingest, tls: tls !== undefined, 'alerts.rules': alertRules },
    users: users.map(({ name, read, write }) => ({ name, read, write })),
    links: links.map(({ kind, name, target }) => ({ kind, name, url: target.url })),
  };
}
