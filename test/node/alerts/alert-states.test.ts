import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertChange, AlertStates } from '../../../node/alerts/alert-states.ts';
import type { Measurement } from '../../../node/alerts/measure.ts';
import type { RuleSettings } from '../../../node/alerts/rules.ts';

const START_MS = Date.UTC(2026, 0, 1);
const told = { rule: 'replica-suspect', subject: 'n2', sinceMs: 5, message: 'Look.' } as const;

function fixture(settings: RuleSettings = {}) {
  const states = new AlertStates(settings);
  let livedMs = 0;
  return {
    states,
    /** A second passes, then it looks. */
    look: (measurements: readonly Measurement[], from: readonly (typeof told)[] = []) => {
      livedMs += 1_000;
      return states.look({ measurements, told: from, nowMs: START_MS + livedMs, livedMs });
    },
    names: () => states.list().map(({ name, state }) => `${name} ${state}`),
  };
}

const delay = (value: number): Measurement => ({
  ...{ rule: 'loop-delay', subject: 'n1', value, message: `Late by ${value}.` },
});
const failed = { rule: 'node-failed', subject: 'n2', value: 1, message: 'Silent.' } as const;
const kinds = (changes: readonly AlertChange[]) => changes.map(({ kind }) => kind);

describe('an alert', () => {
  it('is pending until it has held for long enough, then fires, and is over after as long', () => {
    const { look, names, states } = fixture({ 'loop-delay': { forSeconds: 3 } });
    for (let i = 0; i < 3; i++) expect(look([delay(300)])).toEqual([]);
    expect(names()).toEqual(['loop-delay-n1 pending']);
    const [fires] = look([delay(300)]);
    const sinceMs = START_MS + 1_000;
    expect(fires).toMatchObject({ kind: 'firing', alert: { state: 'firing', sinceMs } });
    expect(states.list()[0]).toMatchObject({ severity: 'warning', subject: 'n1', sinceMs });
    for (let i = 0; i < 3; i++) expect(look([delay(3)])).toEqual([]);
    expect(names()).toEqual(['loop-delay-n1 firing']);
    expect(look([delay(3)])).toMatchObject([
      { kind: 'resolved', alert: { state: 'resolved', sinceMs, untilMs: START_MS + 8_000 } },
    ]);
    expect(names()).toEqual([]);
  });

  it('that was about to fire is forgotten at once when it does not hold', () => {
    const { look, names } = fixture();
    look([delay(300)]);
    expect(look([delay(200)])).toEqual([]);
    expect(names()).toEqual([]);
  });

  it('goes on until it is clearly better', () => {
    const { look } = fixture({ 'loop-delay': { threshold: 100, forSeconds: 0 } });
    expect(kinds(look([delay(100)]))).toEqual(['firing']);
    for (let i = 0; i < 5; i++) expect(look([delay(91)])).toEqual([]);
    expect(kinds(look([delay(89)]))).toEqual(['resolved']);
    expect(kinds(look([delay(91)]))).toEqual([]);
  });

  it('of a rule that is off is none', () => {
    const { look, names } = fixture({ 'node-failed': { enabled: false } });
    expect(look([failed])).toEqual([]);
    expect(names()).toEqual([]);
  });

  it('has a new message now and then, while its figures change', () => {
    const { look, states } = fixture({ 'loop-delay': { forSeconds: 0 } });
    look([delay(300)]);
    look([delay(301)]);
    expect(states.list()[0]?.message).toBe('Late by 300.');
    for (let i = 0; i < 10; i++) look([delay(302)]);
    expect(states.list()[0]?.message).toBe('Late by 302.');
  });

  it('is listed with the worst first', () => {
    const { look, names } = fixture({ 'loop-delay': { forSeconds: 0 } });
    look([delay(300), { ...delay(300), rule: 'commit-latency', value: 2_000 }, failed]);
    expect(names()).toEqual([
      'node-failed-n2 firing',
      'loop-delay-n1 firing',
      'commit-latency-n1 pending',
    ]);
  });
});

describe('what another node tells of itself', () => {
  it('fires at once, since then, for as long as it is told', () => {
    const { look, states } = fixture();
    expect(look([], [told])).toMatchObject([{ kind: 'firing', alert: { ...told } }]);
    expect(look([], [told, told])).toEqual([]);
    expect(states.list()).toHaveLength(1);
    expect(states.ownFiring()).toEqual([]);
    expect(kinds(look([]))).toEqual(['resolved']);
  });

  it('is told on by nobody; what is found here is, if others cannot see it', () => {
    const { look, states } = fixture();
    const own: Measurement = { ...told, subject: 'n1', value: 1 };
    look([own, failed], [told]);
    expect(states.ownFiring().map(({ name }) => name)).toEqual(['replica-suspect-n1']);
    look([failed], [told]);
    expect(states.ownFiring()).toEqual([]);
  });
});

describe('after a restart', () => {
  it('what fired goes on until the others have been heard, and then counts as it is', () => {
    const { look, states } = fixture();
    const failedBefore = { ...failed, sinceMs: START_MS - 5_000 };
    states.restore([failedBefore, told], 0);
    for (let i = 0; i < 20; i++) expect(look([])).toEqual([]);
    expect(look([failed])).toEqual([]);
    for (let i = 0; i < 8; i++) expect(look([failed])).toEqual([]);
    expect(look([failed])).toMatchObject([
      { kind: 'resolved', alert: { name: 'replica-suspect-n2' } },
    ]);
    expect(states.list()).toMatchObject([{ name: 'node-failed-n2', sinceMs: START_MS - 5_000 }]);
  });
});

describe('whatever is measured', () => {
  const measurement = fc.record({
    rule: fc.constantFrom('loop-delay' as const, 'node-failed' as const, 'link-down' as const),
    subject: fc.constantFrom('a', 'b'),
    value: fc.integer({ min: 0, max: 500 }),
    message: fc.string(),
  });

  it('fires and is over in turns, each after its time, and is bounded', () => {
    fc.assert(
      fc.property(fc.array(fc.array(measurement, { maxLength: 6 }), { maxLength: 80 }), (looks) => {
        const { look, states } = fixture({ 'loop-delay': { forSeconds: 2 } });
        const isFiring = new Map<string, boolean>();
        for (const measurements of looks) {
          for (const { kind, alert } of look(measurements)) {
            expect(isFiring.get(alert.name) ?? false).toBe(kind === 'resolved');
            isFiring.set(alert.name, kind === 'firing');
            if (alert.state === 'resolved') {
              expect(alert.untilMs).toBeGreaterThanOrEqual(alert.sinceMs);
            }
          }
          for (const { name, state } of states.list()) {
            expect(isFiring.get(name) ?? false).toBe(state === 'firing');
          }
        }
      }),
    );
  });

  it('fires exactly when it has held at every look of its time', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), fc.nat(5), (held, forSeconds) => {
        const { look } = fixture({ 'node-failed': { forSeconds } });
        let run = 0;
        let gap = 0;
        let isFiring = false;
        for (const holds of held) {
          run = holds ? run + 1 : 0;
          gap = holds ? 0 : gap + 1;
          const changes = kinds(look(holds ? [failed] : []));
          if (!isFiring && run > forSeconds) {
            expect(changes).toEqual(['firing']);
            isFiring = true;
          } else if (isFiring && gap > forSeconds) {
            expect(changes).toEqual(['resolved']);
            isFiring = false;
          } else expect(changes).toEqual([]);
        }
      }),
    );
  });

  it('is bounded in number and in length', () => {
    const { look, states } = fixture();
    const many = Array.from(
      { length: 1_000 },
      (_, i): Measurement => ({
        ...{
          rule: 'client-id-fought-over',
          subject: `c${i}`,
          value: 1,
          message: 'x'.repeat(1_000),
        },
      }),
    );
    look(many);
    expect(states.list()).toHaveLength(200);
    expect(states.list()[0]?.message).toHaveLength(300);
    look([...many, failed]);
    expect(states.list()[0]?.name, 'what is critical has room').toBe('node-failed-n2');
  });
});
