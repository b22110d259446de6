const SLASH = 0x2f;

interface Level {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** `+`: any one level. */
const ANY: Level = { text: '+', bytes: new Uint8Array(0) };

/**
 * An MQTT filter made ready to be asked about bytes as they arrive: no string, no object, no walk over
 * anything but the name itself. As with subscriptions to values, a leading `$` is nothing special.
 */
export class KeyFilter {
  readonly text: string;
  /** It matches everything. */
  readonly isOpen: boolean;
  readonly #levels: readonly Level[];
  /** It ends with `#`, which is not among the levels. */
  readonly #matchesBelow: boolean;

  /** `filter` must be well formed (`isTopicFilter`). */
  constructor(filter: string) {
    const levels = filter.split('/');
    this.text = filter;
    this.#matchesBelow = levels.at(-1) === '#';
    if (this.#matchesBelow) levels.pop();
    // Every name has a first level, so `+/#` is `#` by another name.
    if (this.#matchesBelow && levels.length === 1 && levels[0] === '+') levels.pop();
    this.#levels = levels.map((text) => (text === '+' ? ANY : { text, bytes: Buffer.from(text) }));
    this.isOpen = this.#matchesBelow && levels.length === 0;
  }

  matchesBytes(buffer: Uint8Array, start: number, end: number): boolean {
    let from = start;
    for (const level of this.#levels) {
      if (from > end) return false;
      let to = from;
      while (to < end && buffer[to] !== SLASH) to += 1;
      if (level !== ANY && !equal(level.bytes, buffer, from, to)) return false;
      from = to + 1;
    }
    // Past the end: there was no level left. `a/#` also matches `a` (MQTT 3.1.1 §4.7.1.2).
    return this.#matchesBelow || from > end;
  }

  matches(name: string): boolean {
    let from = 0;
    for (const level of this.#levels) {
      if (from > name.length) return false;
      const slash = name.indexOf('/', from);
      const to = slash === -1 ? name.length : slash;
      if (level !== ANY) {
        const isSame = level.text.length === to - from && name.startsWith(level.text, from);
        if (!isSame) return false;
      }
      from = to + 1;
    }
    return this.#matchesBelow || from > name.length;
  }

  /** Whether every name that `other` matches is matched by this one. */
  covers(other: KeyFilter): boolean {
    for (const [index, level] of this.#levels.entries()) {
      const theirs = other.#levels[index];
      if (theirs === undefined) return false;
      if (level !== ANY && (theirs === ANY || theirs.text !== level.text)) return false;
    }
    if (this.#matchesBelow) return true;
    return !other.#matchesBelow && other.#levels.length === this.#levels.length;
  }

  /** Whether there is a name that both match. */
  overlaps(other: KeyFilter): boolean {
    const common = Math.min(this.#levels.length, other.#levels.length);
    for (let index = 0; index < common; index += 1) {
      const ours = this.#levels[index] as Level;
      const theirs = other.#levels[index] as Level;
      if (ours !== ANY && theirs !== ANY && ours.text !== theirs.text) return false;
    }
    const difference = this.#levels.length - other.#levels.length;
    if (difference === 0) return true;
    return difference > 0 ? other.#matchesBelow : this.#matchesBelow;
  }
}

function equal(expected: Uint8Array, buffer: Uint8Array, from: number, to: number): boolean {
  if (expected.length !== to - from) return false;
  for (let i = 0; i < expected.length; i += 1) {
    if (expected[i] !== buffer[from + i]) return false;
  }
  return true;
}
