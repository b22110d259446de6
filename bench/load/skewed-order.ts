const DRAWS = 1 << 20;
const SEED = 0x9e3779b9;

/**
 * Keys by Zipf's law: the k-th most frequent one is drawn in proportion to 1 / k^exponent. Which one that is has nothing
 * to do with its number, and every run has the same order.
 */
export function skewedOrder(keys: number, exponent: number, draws = DRAWS): Uint32Array {
  const random = xorshift(SEED);
  const cumulative = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank += 1) {
    sum += (rank + 1) ** -exponent;
    cumulative[rank] = sum;
  }
  const keyOfRank = shuffled(keys, random);
  return Uint32Array.from({ length: draws }, () => {
    const rank = firstAbove(cumulative, random() * sum);
    return keyOfRank[rank] as number;
  });
}

function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let left = count - 1; left > 0; left -= 1) {
    const other = Math.floor(random() * (left + 1));
    const moved = order[left] as number;
    order[left] = order[other] as number;
    order[other] = moved;
  }
  return order;
}

/** Marsaglia, "Xorshift RNGs" (2003): in [0, 1). */
function xorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
