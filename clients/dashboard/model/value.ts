/** What the bytes of a value are to somebody who looks at them. */
export type Value =
  | {
      readonly kind: 'number';
      readonly text: string;
      readonly number: number;
      readonly size: number;
    }
  | { readonly kind: 'json'; readonly text: string; readonly json: unknown; readonly size: number }
  | { readonly kind: 'text'; readonly text: string; readonly size: number }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array; readonly size: number };

/** As answers in JSON carry values: as text where they are UTF-8, else in base64. */
export interface CarriedValue {
  readonly value?: string;
  readonly base64?: string;
}

export function valueOfCarried({ value, base64 = '' }: CarriedValue): Value {
  if (value === undefined)
    return valueOfBytes(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  return valueOfText(value, new TextEncoder().encode(value).length);
}

export function valueOfBytes(bytes: Uint8Array): Value {
  try {
    return valueOfText(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      bytes.length,
    );
  } catch {
    return { kind: 'binary', bytes, size: bytes.length };
  }
}

function valueOfText(text: string, size: number): Value {
  const number = asNumber(text);
  if (number !== undefined) return { kind: 'number', text, number, size };
  if (/^\s*[[{"]/.test(text)) {
    try {
      return { kind: 'json', text, json: JSON.parse(text), size };
    } catch {
      // Text that begins like JSON.
    }
  }
  return { kind: 'text', text, size };
}

/** What a sensor writes: `21.5`, `-3`, `1e-3`; no `0x10`, no empty text. */
function asNumber(text: string): number | undefined {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : undefined;
}

/** In one line, for tables. */
export function brief(value: Value, charactersMax = 120): string {
  if (value.kind === 'binary')
    return `${hex(value.bytes.subarray(0, 24))}${value.size > 24 ? ' …' : ''}`;
  const text = value.text.slice(0, charactersMax + 1).replace(/\s+/g, ' ');
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}

/** `de ad be ef` */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
