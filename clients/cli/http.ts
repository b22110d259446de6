import { CliError, ExitCode, systemCode, unavailableError } from './errors.ts';
import type { StatusDocument, WhereDocument } from './status-document.ts';

/** Asks a node's HTTP door. Throws a `CliError` whose sentence names the address. */
async function getJson<T>(base: string, path: string, timeoutMs: number): Promise<T> {
  const url = new URL(path, base.includes('://') ? base : `http://${base}`);
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const refused = systemCode(error) === 'ECONNREFUSED';
    const why = refused ? 'nothing listens there' : (error as Error).message;
    throw unavailableError(
      `cannot reach ${url.origin}: ${why}. Name a node with --http or DSS_HTTP.`,
      error,
    );
  }
  if (!response.ok) {
    const said = (await response.text()).slice(0, 300);
    throw new CliError(
      ExitCode.failure,
      'HTTP_STATUS',
      `${url.href} answered ${response.status}: ${said}`,
    );
  }
  return (await response.json()) as T;
}

export function fetchStatus(base: string, timeoutMs: number): Promise<StatusDocument> {
  return getJson(base, '/status', timeoutMs);
}

export function fetchWhere(base: string, key: string, timeoutMs: number): Promise<WhereDocument> {
  return getJson(base, `/where?key=${encodeURIComponent(key)}`, timeoutMs);
}
