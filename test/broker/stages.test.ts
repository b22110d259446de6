import { describe, expect, it } from 'vitest';
import { STAGES, Stages } from '../../broker/stages.ts';

describe('the stages of a reading', () => {
  it('share the time of the thread: a stage within another is not counted to that', () => {
    let nowMs = 100;
    const stages = new Stages(() => nowMs);
    const nothing = stages.enter('replicate');
    nowMs += 1;
    const outer = stages.enter('apply');
    nowMs += 10;
    stages.leave(outer);
    nowMs += 2;
    stages.leave(nothing);
    nowMs += 1_000;
    const { replicate, apply, front } = stages.figures();
    expect(replicate.micros).toBe(3_000);
    expect(apply.micros).toBe(10_000);
    expect(front).toEqual({ micros: 0, messages: 0 });
  });

  it('count what passes, and time that others spend', () => {
    const stages = new Stages(() => 0);
    stages.count('apply', 3);
    stages.count('apply', 4);
    stages.add('flush', 0.25);
    expect(stages.figures()).toMatchObject({ apply: { messages: 7 }, flush: { micros: 250 } });
    expect(Object.keys(stages.figures())).toEqual([...STAGES]);
  });
});
