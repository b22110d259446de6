/** What came of a question to the node. */
export type Answer<T> =
  | { readonly kind: 'ok'; readonly body: T; readonly headers: Headers }
  /** It answered that it will not. `headers` may say why. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly code: string;
      readonly detail: string;
      readonly headers: Headers;
    }
  /** There was none: in time, or at all. */
  | { readonly kind: 'silent'; readonly isLate: boolean; readonly detail: string };

export interface Question {
  readonly method?: 'GET' | 'PUT' | 'DELETE';
  readonly body?: BodyInit;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string | number | undefined>;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Asks for JSON. `path` is relative to the page and begins without a slash; its parts are encoded. */
export function ask<T>(path: string, question: Question = {}): Promise<Answer<T>> {
  return send(path, question, (response) => response.json() as Promise<T>);
}

/** Asks for bytes as they are. */
export function askBytes(path: string, question: Question = {}): Promise<Answer<Uint8Array>> {
  return send(path, question, async (response) => new Uint8Array(await response.arrayBuffer()));
}

async function send<T>(
  path: string,
  { method = 'GET', body, headers = {}, query = {}, timeoutMs = TIMEOUT_MS }: Question,
  read: (response: Response) => Promise<T>,
): Promise<Answer<T>> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const init: RequestInit = { method, headers, signal, cache: 'no-store' };
    const response = await fetch(
      path + queryText(query),
      body === undefined ? init : { ...init, body },
    );
    if (!response.ok) return await refusalOf(response);
    return { kind: 'ok', body: await read(response), headers: response.headers };
  } catch (error) {
    const isLate = (error as Error).name === 'TimeoutError';
    const detail = isLate
      ? `No answer within ${timeoutMs / 1_000} s.`
      : 'The connection was refused or broke off.';
    return { kind: 'silent', isLate, detail };
  }
}

/** Problem details (RFC 9457), or whatever else it is that answers. */
export async function refusalOf(
  response: Response,
): Promise<Extract<Answer<never>, { kind: 'refused' }>> {
  const { status, headers } = response;
  const problem = (await response.json().catch(() => ({}))) as { code?: unknown; detail?: unknown };
  const code = typeof problem.code === 'string' ? problem.code : '';
  const detail = typeof problem.detail === 'string' ? problem.detail : `HTTP status ${status}`;
  return { kind: 'refused', status, code, detail, headers };
}

export function queryText(query: Question['query'] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
