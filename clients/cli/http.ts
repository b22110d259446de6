import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import {
  badCredentialsError,
  CliError,
  ExitCode,
  unavailableError,
  unreachableError,
  usageError,
  whyUnreachable,
} from './errors.ts';
import { NO_SECURITY, type Security } from './security.ts';
import type { StatusDocument, WhereDocument } from './status-document.ts';

/** A node's HTTP door: one address, or several that are tried in turn. */
export interface HttpDoor {
  readonly bases: string | readonly string[];
  readonly timeoutMs: number;
  readonly security?: Security;
  /** Aborted: nobody wants the answer any more. */
  readonly signal?: AbortSignal;
}

export interface HttpQuestion {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With its query, encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks a node and gives its JSON. Throws a `CliError` with the node's code, or one that names the address. */
export async function askHttp<T>(door: HttpDoor, question: HttpQuestion): Promise<T> {
  const urls = [door.bases]
    .flat()
    .flatMap((base) => base.split(','))
    .map((base) => parseUrl(question.path, base));
  let problem: unknown;
  for (const url of urls) {
    let response: IncomingMessage;
    try {
      response = await send(url, question, door, door.timeoutMs / urls.length);
    } catch (error) {
      problem = error;
      continue;
    }
    return await readJson<T>(url, response);
  }
  const where = urls.map((url) => url.origin).join(' or ');
  const why = whyUnreachable(problem);
  throw unreachableError(`cannot reach ${where}: ${why}`, '--http', problem);
}

export function fetchStatus(
  bases: string | readonly string[],
  timeoutMs: number,
  security: Security = NO_SECURITY,
): Promise<StatusDocument> {
  return askHttp({ bases, timeoutMs, security }, { path: '/v1/cluster' });
}

export function fetchWhere(
  bases: string | readonly string[],
  key: string,
  timeoutMs: number,
  security: Security = NO_SECURITY,
): Promise<WhereDocument> {
  const path = `/v1/where?key=${encodeURIComponent(key)}`;
  return askHttp({ bases, timeoutMs, security }, { path });
}

/** Not by `fetch`, which cannot be told whose certificates to trust. */
function send(
  url: URL,
  { method = 'GET', body }: HttpQuestion,
  { security = NO_SECURITY, signal }: HttpDoor,
  timeoutMs: number,
): Promise<IncomingMessage> {
  const { user, password, tls } = security;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    method,
    agent: false as const,
    headers: {
      ...(user === undefined ? {} : { authorization: basic(user, password ?? '') }),
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
    },
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ...tls }, resolve)
        : httpRequest(url, options, resolve);
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
    const deadline = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    const giveUp = (): void => void request.destroy(deadline.reason as Error);
    deadline.addEventListener('abort', giveUp);
    if (deadline.aborted) giveUp();
    request.once('close', () => deadline.removeEventListener('abort', giveUp));
    request.once('error', reject);
    request.end(content);
  });
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

async function readJson<T>(url: URL, response: IncomingMessage): Promise<T> {
  const { statusCode = 0, headers } = response;
  if (!headers['content-type']?.includes('json')) {
    response.destroy();
    const sentence = `what listens at ${url.origin} is a web server, but not a node of DSS: name a node with --http or DSS_HTTP`;
    throw new CliError(ExitCode.failure, 'NOT_A_NODE', sentence);
  }
  let said: string;
  try {
    said = await text(response);
    if (statusCode >= 200 && statusCode < 300) return JSON.parse(said) as T;
  } catch (error) {
    throw unavailableError(`${url.origin} broke off: ${whyUnreachable(error)}`, error);
  }
  throw refused(url, statusCode, said);
}

/** Nodes say why in problem details (RFC 9457) with a `code`. */
function refused(url: URL, status: number, said: string): CliError {
  if (status === 401) return badCredentialsError();
  const exitCode =
    { 404: ExitCode.notFound, 503: ExitCode.unavailable }[status] ?? ExitCode.failure;
  try {
    const { code, detail } = JSON.parse(said) as { code?: unknown; detail?: unknown };
    const isCode = typeof code === 'string' && /^[A-Z_]+$/.test(code);
    if (isCode && typeof detail === 'string') return new CliError(exitCode, code, detail);
  } catch {
    // Told as it is.
  }
  const sentence = `${url.href} answered ${status}: ${said.slice(0, 300)}`;
  return new CliError(ExitCode.failure, 'HTTP_STATUS', sentence);
}

function parseUrl(path: string, base: string): URL {
  const address = base.includes('://') ? base : `http://${base}`;
  if (URL.canParse(address) && address.startsWith('http')) {
    const url = new URL(path, address);
    if (url.username === '' && url.password === '') return url;
    throw usageError('--http takes no user: give it with --user and DSS_PASSWORD');
  }
  throw usageError(`--http needs an address such as http://127.0.0.1:8080, not '${base}'`);
}
