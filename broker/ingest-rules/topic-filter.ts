import { KeyFilter } from '../key-filter.ts';

/**
 * An MQTT filter on topics, split once. As MQTT 3.1.1 §4.7.2 says, one that begins with a wildcard does not match
 * topics that begin with `$`.
 */
export class TopicFilter {
  readonly #filter: KeyFilter;
  readonly #levels: readonly string[];
  readonly #wildFirst: boolean;

  /** `filter` is well formed. */
  constructor(filter: string) {
    this.#filter = new KeyFilter(filter);
    this.#levels = filter.split('/');
    this.#wildFirst = isWildcard(this.#levels[0]);
  }

  get wildcardCount(): number {
    return this.#levels.filter(isWildcard).length;
  }

  matches(topic: string): boolean {
    if (this.#wildFirst && topic.startsWith('$')) return false;
    return this.#filter.matches(topic);
  }

  /** What each wildcard stands for in a topic that matches: one level, or the rest, which may be empty. */
  captures(topic: string): readonly string[] {
    const topicLevels = topic.split('/');
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
