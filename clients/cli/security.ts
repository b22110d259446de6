import { readFileSync } from 'node:fs';
import { fileError, usageError } from './errors.ts';

/** The global options that say who asks, and whom to trust. */
export interface SecurityFlags {
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

/** What a connection to a node proves and demands. Without anything: no user, and the system's CAs. */
export interface Security {
  readonly user?: string;
  readonly password?: string;
  /** For `mqtts://` and `https://`. */
  readonly tls?: TlsSecurity;
}

interface TlsSecurity {
  readonly ca?: Buffer;
  readonly allowPartialTrustChain?: true;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export const NO_SECURITY: Security = {};

/** Reads the files that the flags name. Throws a `CliError` for a file, or for half of a pair. */
export function openSecurity(flags: SecurityFlags): Security {
  // Variables that are set to nothing are not set.
  const [user, password, ca, clientCert, clientKey] = [
    flags.user,
    flags.password,
    flags.ca,
    flags.clientCert,
    flags.clientKey,
  ].map((flag) => (flag === '' ? undefined : flag));
  if (user !== undefined && password === undefined) {
    throw usageError('--user needs a password: in DSS_PASSWORD, or with --password');
  }
  if (user === undefined && password !== undefined) throw usageError('--password needs --user');
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw usageError('--client-cert and --client-key need each other');
  }
  return {
    ...(user === undefined || password === undefined ? {} : { user, password }),
    tls: {
      // A node's own certificate is as good as a CA's: a cluster may do without a CA.
      ...(ca === undefined ? {} : { ca: read(ca), allowPartialTrustChain: true as const }),
      ...(clientCert === undefined ? {} : { cert: read(clientCert) }),
      ...(clientKey === undefined ? {} : { key: read(clientKey) }),
    },
  };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw fileError('cannot read', path, cause);
  }
}
