import { X509Certificate } from 'node:crypto';
import type { NodeOptions } from '../../../node/main.ts';
import { formatDuration } from '../table.ts';
import { isOpen } from '../up/reach.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const CERTIFICATE_ENDS_SOON_MS = 30 * DAY_MS;

type Access = Pick<NodeOptions, 'listen' | 'users' | 'tls'>;

/** Who could use a node that is started so. */
export function examineAccess({ listen, users, tls }: Access, nowMs: number): Finding[] {
  return [judgeUsers(listen, users.length), ...judgeTls({ listen, users, tls }, nowMs)];
}

function judgeUsers(listen: string, count: number): Finding {
  if (count > 0) return ok('users', `${count} ${count === 1 ? 'user' : 'users'}, nobody else`);
  if (!isOpen(listen)) return ok('users', 'none: everybody on this machine, and nobody elsewhere');
  return warning(
    'users',
    `everybody who can reach ${listen} may read, write and delete everything`,
    'Name "users" in the configuration file (dss passwd makes hashes) and leave --anonymous out.',
  );
}

function judgeTls({ listen, users, tls }: Access, nowMs: number): Finding[] {
  if (tls !== undefined) return [judgeCertificate(new X509Certificate(tls.cert), nowMs)];
  if (!isOpen(listen) || users.length === 0) return [];
  return [
    warning(
      'tls',
      `passwords and values travel to ${listen} readable for others on the network`,
      'Give the node a certificate: --tls-cert and --tls-key.',
    ),
  ];
}

function judgeCertificate({ validTo }: X509Certificate, nowMs: number): Finding {
  const leftMs = Date.parse(validTo) - nowMs;
  const advice = 'Replace the certificate, and start the node again.';
  if (leftMs < 0) return problem('tls', `the certificate has ended: ${validTo}`, advice);
  const said = `the certificate is good for another ${formatDuration(leftMs)}`;
  if (leftMs < CERTIFICATE_ENDS_SOON_MS) return warning('tls', said, advice);
  return ok('tls', said);
}
