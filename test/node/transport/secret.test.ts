import { describe, expect, it } from 'vitest';
import { credentials, verifyCredentials } from '../../../node/transport/secret.ts';
import { utf8 } from '../support.ts';

const SECRET = 'a long enough secret';
const NODE = '0123456789abcdef';
const NONCE = new Uint8Array(16).fill(7);

const { username, password } = credentials(SECRET, NODE, NONCE);
const [nonce, mac] = password.split('.') as [string, string];
const verify = (name: string, proof: string) => verifyCredentials(SECRET, name, utf8(proof));

describe('the proof of the cluster secret', () => {
  it('names the node', () => {
    expect(verify(username, password)).toBe(NODE);
    expect(password).not.toContain(SECRET);
  });

  it('is another one for every nonce, node and secret', () => {
    const others = [
      credentials(SECRET, NODE, new Uint8Array(16).fill(8)),
      credentials(SECRET, 'fedcba9876543210', NONCE),
      credentials('another secret', NODE, NONCE),
    ];
    for (const other of others) expect(other.password.split('.')[1]).not.toBe(mac);
  });

  it.each([
    ['with another secret', username, credentials('another secret', NODE, NONCE).password],
    ['for another node', 'dss-node/fedcba9876543210', password],
    ['for no node', 'sensor', password],
    ['with another nonce', username, `${'00'.repeat(16)}.${mac}`],
    ['with a short nonce', username, credentials(SECRET, NODE, new Uint8Array(4)).password],
    ['without a proof', username, `${nonce}.`],
    ['with half a proof', username, `${nonce}.${mac.slice(0, 32)}`],
    ['with a proof and more', username, `${nonce}.${mac}00`],
    ['with a proof that is not hexadecimal', username, `${nonce}.${'zz'.repeat(32)}`],
    ['without anything', username, ''],
    ['with the secret itself', username, SECRET],
  ])('is refused %s', (_, name, proof) => {
    expect(verify(name, proof)).toBeUndefined();
  });

  it('is refused if its bytes are no text', () => {
    expect(
      verifyCredentials(SECRET, username, Uint8Array.of(0xff, 0xfe, 0x2e, 0xff)),
    ).toBeUndefined();
  });
});
