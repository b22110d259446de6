import { describe, expect, it } from 'vitest';
import { EndOfTurn } from '../../broker/end-of-turn.ts';
import type { BrokerEnv } from '../../broker/env.ts';
import { ReadBudget } from '../../broker/read-budget.ts';

const KIB = 1024;

/** Turns end when the test says so. */
function budgetOf(bytesPerTurn: number) {
  let pending: (() => void)[] = [];
  const clock = { nowMs: 0 };
  const env = { yield: (task: () => void) => void pending.push(task) } as Partial<BrokerEnv>;
  const budget = new ReadBudget(new EndOfTurn(env as BrokerEnv), bytesPerTurn);
  /** What a connection with packets of 100 bytes reads until it is held back. */
  const readAll = (): number => {
    let bytes = 0;
    do bytes += 100;
    while (budget.allows(100, bytes, clock.nowMs));
    return bytes;
  };
  const endTurn = () => {
    const tasks = pending;
    pending = [];
    for (const task of tasks) task();
  };
  return { budget, readAll, endTurn, clock };
}

describe('ReadBudget', () => {
  it('leaves all of a turn to a connection that is alone', () => {
    const { readAll, endTurn } = budgetOf(100 * KIB);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(readAll()).toBeGreaterThanOrEqual(100 * KIB);
      endTurn();
    }
  });

  it('gives even shares to those that were held back', () => {
    const { readAll, endTurn } = budgetOf(100 * KIB);
    const turn = () => Array.from({ length: 10 }, readAll);
    turn();
    endTurn();
    for (const bytes of turn()) expect(bytes).toBeLessThanOrEqual(10 * KIB + 100);
  });

  it('does not let a turn grow with those that want more', () => {
    const { readAll, endTurn } = budgetOf(256 * KIB);
    const turn = () => Array.from({ length: 50 }, readAll).reduce((sum, each) => sum + each, 0);
    turn();
    endTurn();
    expect(turn()).toBeLessThan(300 * KIB);
  });

  it('holds back nobody who wants little, however much the others have read', () => {
    const { budget, readAll } = budgetOf(10 * KIB);
    for (let other = 0; other < 5; other += 1) readAll();
    expect(budget.allows(1_000, 1_000, 0)).toBe(true);
  });

  it('ends a turn that has become long: whoever comes then is read one packet', () => {
    const { readAll, endTurn, clock } = budgetOf(10_000 * KIB);
    const turn = () => {
      let bytes = 0;
      for (let other = 0; other < 5_000; other += 1) {
        clock.nowMs += 1;
        bytes += readAll();
        if (other === 8) expect(bytes).toBeGreaterThan(10 * KIB);
      }
      return bytes;
    };
    turn();
    endTurn();
    expect(turn()).toBeLessThan(5_000 * 100 + 50 * KIB);
  });
});
