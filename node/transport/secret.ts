import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * How a node proves the cluster secret in its CONNECT (DESIGN §6 ▣): the user name names the node, the
 * password is `<nonce>.<HMAC-SHA256(secret, purpose · node · nonce)>`, so that the secret itself never travels.
 * Whoever can read the connection could repeat it: across a network this wants TLS.
 */
export const NODE_USER_PREFIX = 'dss-node/';
const PURPOSE = 'dss-cluster-1';

export function credentials(
  secret: string,
  node: string,
  nonce: Uint8Array,
): { username: string; password: string } {
  const nonceText = Buffer.from(nonce).toString('hex');
  return {
    username: `${NODE_USER_PREFIX}${node}`,
    password: `${nonceText}.${proof(secret, node, nonceText).toString('hex')}`,
  };
}

/** The node id that these credentials prove, if they do. */
export function verifyCredentials(
  secret: string,
  username: string,
  password: Uint8Array,
): string | undefined {
  // Everybody could prove to know no secret.
  if (secret === '' || !username.startsWith(NODE_USER_PREFIX)) return undefined;
  const node = username.slice(NODE_USER_PREFIX.length);
  const [nonce, mac] = new TextDecoder().decode(password).split('.');
  if (nonce === undefined || mac === undefined || nonce.length < 16) return undefined;
  const expected = proof(secret, node, nonce);
  const given = Buffer.from(mac, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return node;
}

function proof(secret: string, node: string, nonce: string): Buffer {
  return createHmac('sha256', secret).update(`${PURPOSE}\0${node}\0${nonce}`).digest();
}
