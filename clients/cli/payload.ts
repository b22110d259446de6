/** Valid UTF-8 is a string, anything else base64, as in the node's own JSON (DESIGN §7). */
export type JsonValue = { readonly value: string } | { readonly base64: string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function toJsonValue(payload: Uint8Array): JsonValue {
  const text = toText(payload);
  return text === undefined
    ? { base64: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64') }
    : { value: text };
}

export function fromJsonValue(source: { value?: unknown; base64?: unknown }): Buffer {
  if (typeof source.base64 === 'string') return Buffer.from(source.base64, 'base64');
  return Buffer.from(typeof source.value === 'string' ? source.value : '', 'utf8');
}

/** What a person sees of a value. */
export function toDisplay(payload: Uint8Array): string {
  return toText(payload) ?? `base64:${Buffer.from(payload).toString('base64')}`;
}

function toText(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}
