import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicTree } from '../../../broker/ordinary/topic-tree.ts';

/** The specification's words as code: MQTT 3.1.1 §4.7. */
function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const names = topic.split('/');
  const wanted = filter.split('/');
  const isOpen = wanted.at(-1) === '#';
  if (isOpen) wanted.pop();
  if (isOpen ? names.length < wanted.length : names.length !== wanted.length) return false;
  return wanted.every((name, i) => name === '+' || name === names[i]);
}

function found<T>(tree: TopicTree<T>, topic: string): T[] {
  const values: T[] = [];
  tree.match(topic, (value) => values.push(value));
  return values.sort();
}

const name = fc.constantFrom('a', 'b', '', '$x', 'ab');
const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const filter = fc
  .tuple(
    fc.array(fc.oneof(name, fc.constant('+')), { maxLength: 4 }),
    fc.constantFrom<string[]>([], ['#']),
  )
  .map(([names, end]) => (names.length + end.length === 0 ? '#' : [...names, ...end].join('/')));

describe('TopicTree', () => {
  it('finds what a naive matcher finds, whatever was added and deleted before', () => {
    const change = fc.record({ filter, value: fc.nat(3), isAdded: fc.boolean() });
    const property = fc.property(
      fc.array(change, { maxLength: 30 }),
      fc.array(topic, { minLength: 1, maxLength: 10 }),
      (changes, topics) => {
        const tree = new TopicTree<number>();
        const model = new Map<string, { filter: string; value: number }>();
        for (const { filter, value, isAdded } of changes) {
          const key = `${value} ${filter}`;
          if (isAdded) tree.add(filter, value);
          else tree.delete(filter, value);
          if (isAdded) model.set(key, { filter, value });
          else model.delete(key);
        }
        for (const topic of topics) {
          const expected = [...model.values()].filter((each) => matches(each.filter, topic));
          expect(found(tree, topic)).toEqual(expected.map(({ value }) => value).sort());
        }
        for (const { filter, value } of model.values()) tree.delete(filter, value);
        expect(tree.isEmpty).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('keeps $SYS from those who ask for everything, and only there', () => {
    const tree = new TopicTree<string>();
    for (const each of ['#', '+/broker', '$SYS/#', '$SYS/+', 'a/+']) tree.add(each, each);
    expect(found(tree, '$SYS/broker')).toEqual(['$SYS/#', '$SYS/+']);
    expect(found(tree, 'a/$x')).toEqual(['#', 'a/+']);
  });

  it('matches the parent of #', () => {
    const tree = new TopicTree<string>();
    for (const each of ['a/#', 'a/+/#', 'a']) tree.add(each, each);
    expect(found(tree, 'a')).toEqual(['a', 'a/#']);
    expect(found(tree, 'a/b')).toEqual(['a/#', 'a/+/#']);
  });
});
