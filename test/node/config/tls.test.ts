import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { certificates } from '../../support/certificates.ts';
import { complaint, fileWith, load } from './load.ts';

describe('TLS', () => {
  const { cert, key } = certificates.node;
  const otherKey = certificates.other.key;

  it('takes its certificate and key from files', () => {
    const file = fileWith(`tls: {cert: ${cert}, key: ${key}}\n`);
    expect(load({ file }).tls).toEqual({
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: undefined,
      clientCertificates: 'none',
    });
    const flags = { tlsCert: cert, tlsKey: key };
    const environment = { DSS_TLS_CA: cert, DSS_TLS_CLIENT_CERTIFICATES: 'required' };
    expect(load({ flags, environment }).tls).toMatchObject({
      ca: readFileSync(cert),
      clientCertificates: 'required',
    });
  });

  it.each([
    [{ tlsCert: cert }, /has a cert, but no key/],
    [{ tlsKey: key }, /has a key, but no cert/],
    [{ tlsCa: cert }, /needs a cert and a key/],
    [{ tlsCert: '/none.pem', tlsKey: key }, /tls\.cert names \/none\.pem, which cannot be read/],
    [{ tlsCert: cert, tlsKey: '/none.pem' }, /tls\.key names \/none\.pem/],
    [{ tlsCert: cert, tlsKey: key, tlsCa: '/none.pem' }, /tls\.ca names \/none\.pem/],
    [{ tlsCert: cert, tlsKey: otherKey }, /does not open the certificate/],
    [{ tlsCert: key, tlsKey: key }, /cannot be used/],
    [{ tlsCert: cert, tlsKey: key, tlsCa: key }, /CA .* cannot be used/],
    [{ tlsCert: cert, tlsKey: key, tlsClientCertificates: 'required' }, /needs the ca/],
    [{ tlsClientCertificates: 'maybe' }, /one of none, required/],
  ])('that is wrong names the file: %j', (flags, sentence) => {
    expect(complaint({ flags })).toMatch(sentence);
  });

  it('in the file holds settings of its own', () => {
    expect(complaint({ file: fileWith('tls: on\n') })).toContain('cert, key, ca');
    expect(complaint({ file: fileWith('tls: {crt: x}\n') })).toContain('unknown setting tls.crt');
    expect(complaint({ file: fileWith('tlsCert: x\n') })).toContain('unknown setting tlsCert');
    expect(load({ file: fileWith('tls:\n') }).tls).toBeUndefined();
  });
});
