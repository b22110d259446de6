import { describe, expect, it } from 'vitest';
import type { Access } from '../../../broker/access.ts';
import { parseUsers } from '../../../node/config/users.ts';
import { ConfiguredUsers } from '../../../node/edge/authenticator.ts';
import {
  hashPassword,
  parsePasswordHash,
  verifyPassword,
} from '../../../node/edge/password-hash.ts';
import { cheapHash } from '../../support/password.ts';

const bytes = (text: string) => Buffer.from(text);

function users(...given: [name: string, password: string, cost?: number][]) {
  const list = given.map(([name, password, cost]) => ({
    name,
    password: cheapHash(password, cost),
    read: [`${name}/#`],
  }));
  const parsed = parseUsers(list, 'users in a test');
  return new ConfiguredUsers(parsed as [(typeof parsed)[0]]);
}

describe('a password hash', () => {
  it('verifies its password and no other', async () => {
    const text = await hashPassword('correct horse');
    expect(text).toMatch(/^scrypt:16384:8:5:[\w-]+:[\w-]+$/);
    const hash = parsePasswordHash(text);
    if (hash === undefined) throw new Error('not a hash');
    expect(await verifyPassword(bytes('correct horse'), hash)).toBe(true);
    expect(await verifyPassword(bytes('correct horsf'), hash)).toBe(false);
  });

  it.each([
    'hunter2',
    '',
    'scrypt:16384:8:5:c2FsdA:aGFzaA',
    `scrypt:16383:8:5:${'a'.repeat(22)}:${'a'.repeat(43)}`,
    `scrypt:0:8:5:${'a'.repeat(22)}:${'a'.repeat(43)}`,
    `scrypt:16384:0:5:${'a'.repeat(22)}:${'a'.repeat(43)}`,
    `scrypt:16384:8:0:${'a'.repeat(22)}:${'a'.repeat(43)}`,
    `scrypt:16384:8:65:${'a'.repeat(22)}:${'a'.repeat(43)}`,
    // A gigabyte for each login.
    `scrypt:1048576:8:1:${'a'.repeat(22)}:${'a'.repeat(43)}`,
  ])('is not %s', (text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});

describe('the users of a node', () => {
  it('are let in with their password and get what is theirs', async () => {
    const known = users(['ann', 'secret a'], ['bob', 'secret b']);
    for (let round = 0; round < 2; round += 1) {
      const ann = (await known.authenticate('ann', bytes('secret a'))) as Access;
      expect(ann.user).toBe('ann');
      expect([ann.mayRead('ann/x'), ann.mayRead('bob/x')]).toEqual([true, false]);
      expect(await known.authenticate('ann', bytes('secret b'))).toBe('bad-credentials');
    }
  });

  it('are nobody else', async () => {
    const known = users(['ann', 'secret a'], ['empty', '']);
    expect(await known.authenticate('eve', bytes('secret a'))).toBe('bad-credentials');
    expect(await known.authenticate(undefined, undefined)).toBe('bad-credentials');
    expect(await known.authenticate('ann', undefined)).toBe('bad-credentials');
    expect(await known.authenticate('', bytes('secret a'))).toBe('bad-credentials');
    expect(await known.authenticate('anns', bytes('ecret a'))).toBe('bad-credentials');
  });

  it('cost one check however many come at once, and none when they come again', async () => {
    // As long as a check of this cost takes, a thousand of them would not fit into the test.
    const known = users(['fleet', 'common', 2 ** 15]);
    const storm = Array.from({ length: 1_000 }, () => known.authenticate('fleet', bytes('common')));
    for (const access of await Promise.all(storm)) expect(access).toMatchObject({ user: 'fleet' });
    const again = Array.from({ length: 1_000 }, () => known.authenticate('fleet', bytes('common')));
    for (const access of await Promise.all(again)) expect(access).toMatchObject({ user: 'fleet' });
  });

  it('who are too many to be checked are told so, and the others get their turn', async () => {
    const known = users(['ann', 'secret a', 64]);
    const guesses = Array.from({ length: 1_200 }, (_, i) =>
      known.authenticate('ann', bytes(`guess ${i}`)),
    );
    const ann = known.authenticate('ann', bytes('secret a'));
    const outcomes = await Promise.all(guesses);
    expect(new Set(outcomes)).toEqual(new Set(['bad-credentials', 'busy']));
    expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(198);
    expect(await ann).toBe('busy');
    expect(await known.authenticate('ann', bytes('secret a'))).toMatchObject({ user: 'ann' });
  });

  it('may pass a password in bytes that change afterwards', async () => {
    const known = users(['ann', 'secret a', 2 ** 10]);
    const packet = bytes('secret a');
    const pending = known.authenticate('ann', packet);
    packet.fill(0);
    expect(await pending).toMatchObject({ user: 'ann' });
  });
});
