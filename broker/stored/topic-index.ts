interface Level<Item> {
  readonly below: Map<string, Level<Item>>;
  item: Item | undefined;
}

/** Items by topic, found by filter: the other way round than subscriptions, which are found by topic. */
export class TopicIndex<Item> {
  readonly #root: Level<Item> = newLevel();

  set(topic: string, item: Item): void {
    let level = this.#root;
    for (const name of topic.split('/')) {
      let next = level.below.get(name);
      if (next === undefined) level.below.set(name, (next = newLevel()));
      level = next;
    }
    level.item = item;
  }

  /** Levels that lead nowhere any more go with it. */
  delete(topic: string): void {
    const names = topic.split('/');
    const path = [this.#root];
    for (const name of names) {
      const next = path.at(-1)?.below.get(name);
      if (next === undefined) return;
      path.push(next);
    }
    (path.at(-1) as Level<Item>).item = undefined;
    for (let depth = names.length; depth > 0; depth--) {
      const { item, below } = path[depth] as Level<Item>;
      if (item !== undefined || below.size > 0) return;
      path[depth - 1]?.below.delete(names[depth - 1] as string);
    }
  }

  /** Calls `visit` for the item of every topic that matches, in no order. */
  visit(filter: string, visit: (item: Item) => void): void {
    const names = filter.split('/');
    const todo: { level: Level<Item>; depth: number }[] = [{ level: this.#root, depth: 0 }];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const { level, depth } = next;
      const name = names[depth];
      if (name === undefined || name === '#') {
        // `a/#` also matches `a` (MQTT 3.1.1 §4.7.1.2).
        if (level.item !== undefined) visit(level.item);
        if (name === undefined) continue;
      }
      if (name !== '#' && name !== '+') {
        const literal = level.below.get(name as string);
        if (literal !== undefined) todo.push({ level: literal, depth: depth + 1 });
        continue;
      }
      for (const [found, below] of level.below) {
        // [MQTT-4.7.2-1]
        if (level === this.#root && found.startsWith('$')) continue;
        todo.push({ level: below, depth: name === '#' ? depth : depth + 1 });
      }
    }
  }
}

function newLevel<Item>(): Level<Item> {
  return { below: new Map(), item: undefined };
}
