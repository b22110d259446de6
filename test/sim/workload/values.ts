/** A value is a short name, made longer by spaces that count for nothing. */
export function padded(value: string, bytes: number): string {
  return value === '' ? '' : value.padEnd(bytes);
}

export function unpadded(text: string): string {
  return text.trimEnd();
}
