import { CliError, ExitCode, unavailableError, usageError, whyUnreachable } from './errors.ts';
import type { StatusDocument, WhereDocument } from './status-document.ts';

/** One address, or several that are tried in turn. */
type Bases = string | readonly string[];

/** Asks a node's HTTP door. Throws a `CliError` whose sentence names the address. */
async function getJson<T>(bases: Bases, path: string, timeoutMs: number): Promise<T> {
  const urls = [bases]
    .flat()
    .flatMap((base) => base.split(','))
    .map((base) => parseUrl(path, base));
  let problem: unknown;
  for (const url of urls) {
    let response: Response;
    try {
      response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs / urls.length) });
    } catch (error) {
      problem = error;
      continue;
    }
    return await readJson<T>(url, response);
  }
  const where = urls.map((url) => url.origin).join(' or ');
  const why = whyUnreachable(problem);
  throw unavailableError(
    `cannot reach ${where}: ${why}. Start a cluster with 'dss up', or name a node with --http or DSS_HTTP.`,
    problem,
  );
}

async function readJson<T>(url: URL, response: Response): Promise<T> {
  if (!response.headers.get('content-type')?.includes('json')) {
    const sentence = `what listens at ${url.origin} is a web server, but not a node of DSS: name a node with --http or DSS_HTTP`;
    throw new CliError(ExitCode.failure, 'NOT_A_NODE', sentence);
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

function parseUrl(path: string, base: string): URL {
  const text = base.includes('://') ? base : `http://${base}`;
  if (URL.canParse(text) && text.startsWith('http')) return new URL(path, text);
  throw usageError(`--http needs an address such as http://127.0.0.1:8080, not '${base}'`);
}

export function fetchStatus(base: Bases, timeoutMs: number): Promise<StatusDocument> {
  return getJson(base, '/status', timeoutMs);
}

export function fetchWhere(base: Bases, key: string, timeoutMs: number): Promise<WhereDocument> {
  return getJson(base, `/where?key=${encodeURIComponent(key)}`, timeoutMs);
}
