export function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

/** A variable byte integer. */
export function variable(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** A string or binary field with its length. */
export function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

/** Undefined: not all of it is there. Throws if it has more than four bytes. */
export function readVariable(
  bytes: Uint8Array,
  at: number,
): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 4; i += 1) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  throw new Error('a variable byte integer of more than four bytes');
}
