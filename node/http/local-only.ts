import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/addresses.ts';

/**
 * Whether a request comes from this machine and not from a web page that this machine's browser happens to
 * show. A node without users listens on loopback only, but a browser connects there for anybody: scripts of
 * any site may open a WebSocket to it, and a site's name may be made to mean 127.0.0.1 (DNS rebinding).
 */
export function isLocalRequest({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host, origin } = headers;
  return (
    (host === undefined || isLocal(`http://${host}`)) && (origin === undefined || isLocal(origin))
  );
}

/** Clients name the same few addresses again and again. */
const known = new Map<string, boolean>();
const KNOWN_MAX = 100;

function isLocal(url: string): boolean {
  const found = known.get(url);
  if (found !== undefined) return found;
  if (known.size >= KNOWN_MAX) known.clear();
  const answer = namesThisMachine(url);
  known.set(url, answer);
  return answer;
}

function namesThisMachine(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const name = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isLoopback(name) || name.endsWith('.localhost');
}
