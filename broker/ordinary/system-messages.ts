import type { Message } from './message.ts';
import { TopicTree } from './topic-tree.ts';

/** Retained messages of this node alone: `dss/sys/…` and `$SYS/…`, which tell of it and are told anew. */
export class SystemMessages {
  readonly #byTopic = new Map<string, Message>();

  /** An empty payload takes back what was said. Returns whether that is news. */
  set(message: Message): boolean {
    if (message.payload.length > 0) {
      this.#byTopic.set(message.topic, message);
      return true;
    }
    return this.#byTopic.delete(message.topic);
  }

  get size(): number {
    return this.#byTopic.size;
  }

  get(topic: string): Message | undefined {
    return this.#byTopic.get(topic);
  }

  topics(filter: string): string[] {
    const tree = new TopicTree<true>();
    tree.add(filter, true);
    return [...this.#byTopic.keys()].filter((topic) => {
      let isMatch = false;
      tree.match(topic, () => (isMatch = true));
      return isMatch;
    });
  }
}

export function isSystemMessage(topic: string): boolean {
  return topic.startsWith('dss/sys/') || topic.startsWith('$SYS/');
}
