import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeToken, parseToken } from '../../../node/membership/token.ts';

const text = fc.string({ unit: 'grapheme' });
const anyToken = fc.record({ clusterId: text, secret: text, addresses: fc.array(text) });

describe('a token', () => {
  it('is one word, and says what it was made of', () => {
    fc.assert(
      fc.property(anyToken, (token) => {
        const encoded = encodeToken(token);
        expect(encoded).toMatch(/^dss1\.[\w-]+$/);
        expect(parseToken(encoded)).toEqual(token);
      }),
    );
  });

  it('is none when anything of it is missing or different', () => {
    const token = encodeToken({ clusterId: 'c', secret: 'a secret', addresses: ['a:1883'] });
    fc.assert(
      fc.property(
        fc.nat({ max: token.length - 1 }),
        fc.constantFrom(...'aB3-_. '),
        fc.boolean(),
        (position, letter, isMissing) => {
          const end = token.slice(position + 1);
          const changed = `${token.slice(0, position)}${isMissing ? '' : letter}${end}`;
          if (changed !== token) expect(parseToken(changed)).toBeUndefined();
        },
      ),
    );
    for (const wrong of ['', 'dss1.', 'dss2.AAAA', 'hello', token.slice(0, 20)]) {
      expect(parseToken(wrong)).toBeUndefined();
    }
  });
});
