import { LazyMap } from '../lazy-map.ts';
import { LazySet } from '../lazy-set.ts';

/** One level of the filters that have wildcards. */
interface Level<T> {
  readonly named: LazyMap<string, Level<T>>;
  /** `+` */
  any: Level<T> | undefined;
  /** Of filters that end here. */
  readonly here: LazySet<T>;
  /** Of filters that go on with `#`, which matches here and everywhere below [MQTT-4.7.1-2]. */
  readonly below: LazySet<T>;
}

/**
 * Which filters match a topic. Those without wildcards cost one look, the others one look per level that any of them
 * has; nothing is allocated for a match but the names of such levels.
 */
export class TopicTree<T> {
  readonly #literals = new Map<string, Set<T>>();
  readonly #root: Level<T> = newLevel();

  /** The same value may be there under many filters; twice under the same one is once. */
  add(filter: string, value: T): void {
    this.#place(filter).add(value);
  }

  /** Nothing happens if it is not there. */
  delete(filter: string, value: T): void {
    if (hasWildcard(filter)) {
      remove(this.#root, filter, 0, value);
      return;
    }
    const values = this.#literals.get(filter);
    values?.delete(value);
    if (values?.size === 0) this.#literals.delete(filter);
  }

  /** Calls `visit` for each matching filter's values, in no order. It must not change the tree. */
  match(topic: string, visit: (value: T) => void): void {
    this.#literals.get(topic)?.forEach(visit);
    // A wildcard at the first level does not match `$SYS/…` [MQTT-4.7.2-1].
    if (topic.startsWith('$')) descend(this.#root, topic, 0, visit);
    else matchBelow(this.#root, topic, 0, visit);
  }

  get isEmpty(): boolean {
    return this.#literals.size === 0 && isEmpty(this.#root);
  }

  #place(filter: string): Set<T> | LazySet<T> {
    if (!hasWildcard(filter)) {
      const values = this.#literals.get(filter) ?? new Set();
      this.#literals.set(filter, values);
      return values;
    }
    let level = this.#root;
    for (const name of filter.split('/')) {
      if (name === '#') return level.below;
      level = name === '+' ? anyOf(level) : namedOf(level, name);
    }
    return level.here;
  }
}

function newLevel<T>(): Level<T> {
  return { named: new LazyMap(), any: undefined, here: new LazySet(), below: new LazySet() };
}

function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.endsWith('#');
}

function anyOf<T>(level: Level<T>): Level<T> {
  level.any ??= newLevel();
  return level.any;
}

function namedOf<T>(level: Level<T>, name: string): Level<T> {
  const next = level.named.get(name) ?? newLevel<T>();
  level.named.set(name, next);
  return next;
}

function isEmpty<T>({ named, any, here, below }: Level<T>): boolean {
  return here.size === 0 && below.size === 0 && any === undefined && named.size === 0;
}

/** `from` is where the next name begins; beyond the end there is none. */
function matchBelow<T>(
  level: Level<T>,
  topic: string,
  from: number,
  visit: (value: T) => void,
): void {
  level.below.forEach(visit);
  if (from > topic.length) {
    level.here.forEach(visit);
    return;
  }
  if (level.any !== undefined) matchBelow(level.any, topic, endOfName(topic, from) + 1, visit);
  descend(level, topic, from, visit);
}

/** Follows the next name as it is. */
function descend<T>(level: Level<T>, topic: string, from: number, visit: (value: T) => void): void {
  if (level.named.size === 0) return;
  const end = endOfName(topic, from);
  const next = level.named.get(topic.slice(from, end));
  if (next !== undefined) matchBelow(next, topic, end + 1, visit);
}

/** Leaves no empty level behind. */
function remove<T>(level: Level<T>, filter: string, from: number, value: T): void {
  if (from > filter.length) {
    level.here.delete(value);
    return;
  }
  const end = endOfName(filter, from);
  const name = filter.slice(from, end);
  if (name === '#') {
    level.below.delete(value);
    return;
  }
  const next = name === '+' ? level.any : level.named.get(name);
  if (next === undefined) return;
  remove(next, filter, end + 1, value);
  if (!isEmpty(next)) return;
  if (name === '+') level.any = undefined;
  else level.named.delete(name);
}

function endOfName(text: string, from: number): number {
  const slash = text.indexOf('/', from);
  return slash === -1 ? text.length : slash;
}
