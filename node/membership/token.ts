import { crc32c } from '../../lsm/hash/crc32c.ts';

/** What a node must know to ask to be let into a cluster. Whoever has it can be a node: it holds the secret. */
export interface JoinToken {
  /** Empty while the cluster is still to be created. */
  readonly clusterId: string;
  readonly secret: string;
  /** Of members, `host:port`. */
  readonly addresses: readonly string[];
}

const PREFIX = 'dss1.';
const CHECKSUM_BYTES = 4;

/** `dss1.` and, in base64url, the members as JSON behind their CRC32C: a token that lost a letter is told from a wrong one. */
export function encodeToken({ clusterId, secret, addresses }: JoinToken): string {
  const content = Buffer.from(JSON.stringify({ clusterId, secret, addresses }));
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32c(content));
  return PREFIX + Buffer.concat([checksum, content]).toString('base64url');
}

/** Undefined if it is none, or not all of it. */
export function parseToken(text: string): JoinToken | undefined {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.length <= CHECKSUM_BYTES || bytes.toString('base64url') !== encoded) return undefined;
  const content = bytes.subarray(CHECKSUM_BYTES);
  if (crc32c(content) !== bytes.readUInt32LE()) return undefined;
  const { clusterId, secret, addresses } = JSON.parse(content.toString()) as JoinToken;
  return { clusterId, secret, addresses };
}
