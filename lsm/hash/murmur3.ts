/**
 * MurmurHash3_x86_32 of `bytes[start, end)` (Austin Appleby, public domain): an unsigned 32-bit number.
 *
 * Not for secrets. For short keys plain JavaScript is several times faster than crossing into wasm or a
 * native addon. What it returns is part of our formats (tokens, bloom filters) and never changes.
 */
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  const length = end - start;
  const tailStart = start + (length & ~3);

  // Bytes are put together one by one: a DataView would have to be made for every call.
  for (let at = start; at < tailStart; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }

  let tail = 0;
  for (let at = end - 1; at >= tailStart; at--) tail = (tail << 8) | (bytes[at] as number);
  if (tailStart < end) hash ^= scramble(tail);

  return finalize(hash ^ length);
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** Spreads every input bit over all 32, so that the top bits alone are usable as a slot. */
function finalize(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
