import { mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keepNewSecret, keepSecret } from '../../../node/edge/kept-secret.ts';
import { encodeToken } from '../../../node/membership/token.ts';
import { complaint, directory, fileWith, load } from './load.ts';

describe('the way into a cluster', () => {
  const secret = 'a secret of a cluster';
  const token = encodeToken({ clusterId: 'c', secret, addresses: ['gw1:1883', 'gw2:1883'] });

  it('is a token and one member; the token knows the secret and others', () => {
    const flags = { join: 'gw2:1883', token, name: 'n4', zone: 'east', weight: '2.5' };
    expect(load({ flags })).toMatchObject({
      ...{ name: 'n4', zone: 'east', weight: 2.5, secret, isSecretOwn: true },
      bootstrap: undefined,
      join: { addresses: ['gw2:1883', 'gw1:1883'], clusterId: 'c', replace: undefined },
    });
  });

  it('may be without a token, where the secret is known', () => {
    const secretFile = fileWith(`${secret}\n`);
    const { join: target, isSecretOwn } = load({
      flags: { join: 'gw1:1883,gw2:1884', secretFile },
    });
    expect(target).toEqual({ addresses: ['gw1:1883', 'gw2:1884'] });
    expect(isSecretOwn).toBe(false);
  });

  it('may be the place of another node, whose name is the default then', () => {
    const flags = { join: 'gw1:1883', token, replace: 'n2' };
    expect(load({ flags })).toMatchObject({ name: 'n2', join: { replace: 'n2' } });
    expect(load({ flags: { ...flags, name: 'n9' } })).toMatchObject({ name: 'n9' });
  });

  it('may be a cluster of its own', () => {
    expect(load({ flags: { bootstrap: true } }).bootstrap).toEqual({ expect: 1 });
    expect(load({ flags: { bootstrap: true, expect: 3 } }).bootstrap).toEqual({ expect: 3 });
  });

  it('is paved by the secret that the node has kept', async () => {
    const data = mkdtempSync(join(directory, 'data-'));
    expect(load({ flags: { data } }).secret).toBe('');
    const kept = await keepNewSecret(data);
    expect(kept).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(join(data, 'cluster-secret')).mode & 0o777).toBe(0o600);
    expect(load({ flags: { data } })).toMatchObject({ secret: kept, isSecretOwn: true });
    expect(load({ flags: { data, secret } }).secret).toBe(secret);
    await keepSecret(data, secret);
    expect(load({ flags: { data } }).secret).toBe(secret);
  });

  it.each([
    [{ join: 'gw1', token }, '--join has "gw1"'],
    [{ join: 'gw1:1883', token: token.slice(0, -1) }, '--token is none, or not all of it'],
    [{ join: 'gw1:1883' }, 'needs the cluster secret'],
    [{ join: 'gw1:1883', token, bootstrap: true }, 'give one of them'],
    [{ bootstrap: true, peers: 'n1=a:1,n2=b:1' }, 'give one of them'],
    [{ token }, '--token needs --join'],
    [{ replace: 'n2' }, '--replace needs --join'],
    [{ expect: 3 }, '--bootstrap'],
    [{ bootstrap: true, expect: 11 }, '--expect'],
    [{ join: 'gw1:1883', token, secret: 'another secret' }, 'another cluster secret'],
    [{ weight: '0' }, '--weight'],
    [{ weight: '-1' }, '--weight'],
    [{ zone: 'rack 1' }, '--zone'],
  ])('is refused when it is none: %j', (flags, says) => {
    const message = complaint({ flags });
    expect(message).toContain(says);
    expect(message).not.toContain(token);
  });
});
