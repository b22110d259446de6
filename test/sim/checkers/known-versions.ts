import { Violation } from './violation.ts';

/**
 * A version names one value of its key for ever, whoever tells of it: a read, an acknowledgement, a watch or
 * history. And no value comes from nowhere.
 */
export class KnownVersions {
  readonly #values = new Map<string, { readonly value: string; readonly teller: string }>();
  readonly #written = new Map<string, Set<string>>();

  /** Somebody asked for this to be stored. */
  asked(key: string, value: string): void {
    const values = this.#written.get(key) ?? new Set();
    this.#written.set(key, values.add(value));
  }

  /** An empty value is a deletion. */
  told(key: string, version: number, value: string, teller: string): void {
    if (value !== '' && this.#written.get(key)?.has(value) !== true)
      throw new Violation(
        'one value per version',
        `${teller}: nobody ever wrote ${value} to ${key}`,
      );
    if (version === 0) return;
    const name = `${key}@${version}`;
    const known = this.#values.get(name);
    if (known === undefined) this.#values.set(name, { value, teller });
    else if (known.value !== value)
      throw new Violation(
        'one value per version',
        `${name} is ${text(value)} for ${teller}, and was ${text(known.value)} for ${known.teller}`,
      );
  }
}

function text(value: string): string {
  return value === '' ? 'a deletion' : value;
}
