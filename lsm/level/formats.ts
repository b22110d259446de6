/**
 * Keys and values as abstract-level hands them to a database that says it knows 'utf8', 'buffer' and 'view', which
 * saves transcoding: strings, Buffers and Uint8Arrays. Inside they are bytes.
 */
export type Data = string | Uint8Array;
export type Format = 'utf8' | 'buffer' | 'view';

export function bytesOf(data: Data): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (data instanceof Uint8Array) return data;
  // 'view' encodings may make other views, too.
  const view = data as ArrayBufferView;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** The same for what is looked at later: whose it is may use the memory for something else when the call has returned. */
export function ownBytesOf(data: Data): Uint8Array {
  return typeof data === 'string' ? bytesOf(data) : copyOf(bytesOf(data));
}

/**
 * In the form that was asked for; bytes that are not a Buffer are copied. Making a Buffer out of the memory of a small
 * array takes ten times as long, as V8 then has to move it.
 */
export function dataOf(bytes: Uint8Array, format: Format): Data {
  if (format === 'utf8') return decoder.decode(bytes);
  return Buffer.isBuffer(bytes) ? bytes : copyOf(bytes);
}

export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

/** What looks like a byte order mark is part of what was stored. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
