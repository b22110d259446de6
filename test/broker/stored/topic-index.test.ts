import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TopicIndex } from '../../../broker/stored/topic-index.ts';
import { matches } from '../../../broker/topics.ts';

const level = fc.constantFrom('', 'a', 'b', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .filter(([levels, isOpen]) => isOpen || levels.length > 0)
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ['#'] : [])].join('/'));

it('finds the topics that a filter matches, each once, but not with a wildcard those of the server [MQTT-4.7.2-1]', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(topic, { maxLength: 12 }),
      fc.uniqueArray(topic, { maxLength: 4 }),
      filter,
      (topics, gone, wanted) => {
        const tree = new TopicIndex<string>();
        for (const each of topics) tree.set(each, each);
        for (const each of gone) tree.delete(each);
        const found: string[] = [];
        tree.visit(wanted, (each) => found.push(each));
        const expected = topics.filter((each) => {
          const isHidden = each.startsWith('$') && /^[+#]/.test(wanted);
          return !gone.includes(each) && !isHidden && matches(wanted, each);
        });
        expect(found.sort()).toEqual(expected.sort());
      },
    ),
  );
});
