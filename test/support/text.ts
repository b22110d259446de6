/** Bytes as tests write and print them. */

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Of a copy, as `TextDecoder` takes no shared memory. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(Uint8Array.from(bytes));
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
