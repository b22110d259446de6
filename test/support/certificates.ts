import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const path = (name: string) => join(import.meta.dirname, 'certificates', `${name}.pem`);
const pair = (name: string) => ({ cert: path(name), key: path(`${name}-key`) });

/**
 * Files for TLS, valid until 2126. Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
 * -nodes -days 36500` and `openssl x509 -req -CA ca.pem`, both with `-addext` or `-extfile` for the names; the
 * CA's own key is not kept.
 */
export const certificates = {
  ca: path('ca'),
  /** By the CA for `localhost` and 127.0.0.1; good for servers and clients. */
  node: pair('node'),
  /** By the CA for `elsewhere.example`. */
  other: pair('other'),
  /** By itself for `dss.example`. */
  self: pair('self'),
} as const;

/** The files' content, as `node:tls` takes it. */
export function tlsOf({ cert, key }: { readonly cert: string; readonly key: string }) {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

export const caOfTests = readFileSync(certificates.ca);
