/**
 * An MQTT filter, split once. As MQTT 3.1.1 §4.7.2 says, one that begins with a wildcard does not match topics
 * that begin with `$`.
 */
export class TopicFilter {
  readonly #levels: readonly string[];
  readonly #wildFirst: boolean;

  /** `filter` is well formed. */
  constructor(filter: string) {
    this.#levels = filter.split('/');
    this.#wildFirst = isWildcard(this.#levels[0]);
  }

  get wildcardCount(): number {
    return this.#levels.filter(isWildcard).length;
  }

  /** `topicLevels` is the topic, split at its slashes. */
  matches(topicLevels: readonly string[]): boolean {
    if (this.#wildFirst && topicLevels[0]?.startsWith('$')) return false;
    for (const [i, level] of this.#levels.entries()) {
      // `a/#` also matches its parent level `a` (MQTT 3.1.1 §4.7.1.2).
      if (level === '#') return true;
      if (i >= topicLevels.length) return false;
      if (level !== '+' && level !== topicLevels[i]) return false;
    }
    return this.#levels.length === topicLevels.length;
  }

  /** What each wildcard stands for in a topic that matches: one level, or the rest, which may be empty. */
  captures(topicLevels: readonly string[]): readonly string[] {
    const captured: string[] = [];
    for (const [i, level] of this.#levels.entries()) {
      if (level === '+') captured.push(topicLevels[i] ?? '');
      if (level === '#') captured.push(topicLevels.slice(i).join('/'));
    }
    return captured;
  }
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}
