import { expect, it } from 'vitest';
import { skewedOrder } from '../../../bench/load/skewed-order.ts';

it('draws keys by Zipf’s law, the same ones in every run', () => {
  const [keys, draws] = [1_000, 200_000];
  const order = skewedOrder(keys, 1, draws);
  const counts = new Uint32Array(keys);
  for (const key of order) counts[key] = (counts[key] as number) + 1;
  const ranked = [...counts].sort((a, b) => b - a);
  const harmonic = Array.from({ length: keys }, (_, rank) => 1 / (rank + 1)).reduce(
    (a, b) => a + b,
  );
  for (const rank of [1, 2, 4, 8]) {
    const expected = draws / rank / harmonic;
    expect((ranked[rank - 1] as number) / expected).toBeCloseTo(1, 1);
  }
  expect(ranked.filter((count) => count > 0).length).toBeGreaterThan(900);
  expect(skewedOrder(keys, 1, 100)).toEqual(order.slice(0, 100));
});
