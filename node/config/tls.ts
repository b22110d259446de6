import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { firstLine, invalid } from './invalid.ts';

/** What a node's listeners and its connections to other nodes need for TLS. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Who signs the certificates of nodes, and of clients where those need one. */
  readonly ca: Buffer | undefined;
  readonly clientCertificates: 'none' | 'required';
}

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly clientCertificates: 'none' | 'required';
}

/**
 * Undefined: no TLS.
 *
 * @throws {NodeError} CONFIG_INVALID, naming the file, or what is missing
 */
export function loadTls({ cert, key, ca, clientCertificates }: TlsPaths): TlsMaterial | undefined {
  if (cert === '' && key === '') {
    if (ca === '' && clientCertificates === 'none') return undefined;
    throw invalid('tls needs a cert and a key.');
  }
  if (cert === '' || key === '') {
    throw invalid(
      `tls has a ${cert === '' ? 'key' : 'cert'}, but no ${cert === '' ? 'cert' : 'key'}.`,
    );
  }
  if (clientCertificates === 'required' && ca === '') {
    throw invalid('tls wants certificates of clients, so it needs the ca that signs them.');
  }
  const material = {
    cert: read('cert', cert),
    key: read('key', key),
    ca: ca === '' ? undefined : read('ca', ca),
    clientCertificates,
  };
  const { cert: certificate, key: privateKey, ca: authority } = material;
  check(`the certificate ${cert} cannot be used`, () => new X509Certificate(certificate));
  check(`the key ${key} does not open the certificate ${cert}`, () =>
    createSecureContext({ cert: certificate, key: privateKey }),
  );
  // A context takes a file without a certificate for one that trusts nobody.
  check(`the CA ${ca} cannot be used`, () => authority && new X509Certificate(authority));
  return material;
}

function read(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw invalid(`tls.${what} names ${path}, which cannot be read: ${(error as Error).message}.`);
  }
}

function check(complaint: string, attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    throw invalid(`${complaint}: ${firstLine(error)}.`);
  }
}
