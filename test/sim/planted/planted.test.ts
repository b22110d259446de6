import { describe, expect, it } from 'vitest';
import { DEFECTS } from './defects.ts';
import { plant, withPlanted } from './plant.ts';

describe('a planted defect is caught', () => {
  it.each(DEFECTS)('$name', { timeout: 600_000 }, async (defect) => {
    const found = await withPlanted(defect.edits, async (simulate) => {
      const { firstSeed = 1, seedsMax } = defect;
      for (let seed = firstSeed; seed < firstSeed + seedsMax; seed++) {
        const { violation } = await simulate(seed, defect.mix);
        if (violation !== undefined) return { seed, ...violation };
      }
      return undefined;
    });
    if (process.env.PLANTED_VERBOSE) console.log(defect.name, found);
    expect(found, `not within ${defect.seedsMax} seeds`).toBeDefined();
    expect(defect.caughtAs, found?.message).toContain(found?.property);
  });
});

describe('planting', () => {
  it('fails loudly where the code has changed', () => {
    const edit = { file: 'a.ts', snippet: 'x = 1', replacement: 'x = 2' };
    expect(plant('x = 1;', edit)).toBe('x = 2;');
    expect(() => plant('x = 3;', edit)).toThrow('0 times');
    expect(() => plant('x = 1; x = 1;', edit)).toThrow('2 times');
  });
});
