import type { IncomingMessage } from 'node:http';

/**
 * Whether another site's page has a browser change something here. A browser that knows a user of this node sends the
 * name and the password with every request to it, whoever wrote the page that asks; a page may not read the answer, but
 * what a POST has done is done. Programs that are no browsers send neither of these headers.
 */
export function isCrossSiteChange({
  method = '',
  headers,
}: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
