import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNITS_PER_MS } from '../../../broker/data-plane.ts';
import type { KeyRetention } from '../../../node/retention/prefix-retention.ts';
import type { Retention } from '../../../node/retention/retention.ts';
import type { RetentionRule } from '../../../node/retention/rules.ts';
import { utf8 } from '../../support/text.ts';
import { CompactingReplica, HoardingReplica, type LogEntry } from './replicas.ts';

const MINUTE = 60_000 * UNITS_PER_MS;
const BEGIN = 1_000_000 * MINUTE;
const KEYS = ['p', 'p/q', 'p/q/r', 'p1'];

type Step =
  | { readonly kind: 'write'; readonly key: string; readonly tombstone: boolean }
  /** In tens of minutes before now, on a grid, so that times meet. */
  | {
      readonly kind: 'timed';
      readonly key: string;
      readonly tombstone: boolean;
      readonly back: number;
    }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'rules'; readonly rules: readonly RetentionRule[] }
  | { readonly kind: 'watermark' }
  /** Waits until tombstones may go, and lets them. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'press'; readonly fraction: number }
  | { readonly kind: 'freeze' | 'flush' | 'finishCompaction' | 'crash' }
  | {
      readonly kind: 'compact' | 'startCompaction';
      readonly first: number;
      readonly count: number;
    };

const of = <Kind extends string>(...kinds: Kind[]) =>
  fc.constantFrom(...kinds.map((kind) => ({ kind })));
const coin = fc.boolean();
const keepMs = fc
  .constantFrom(0, 10, 30, 60, 90, 300, -1)
  .map((minutes) => (minutes < 0 ? undefined : minutes * 60_000));
const disk = of('freeze', 'flush', 'flush', 'flush', 'finishCompaction', 'crash');
const compact = fc.record({
  kind: fc.constantFrom('compact' as const, 'compact' as const, 'startCompaction' as const),
  first: fc.nat(3),
  count: fc.integer({ min: 1, max: 4 }),
});
const wait = fc.record({ kind: fc.constant('wait' as const), minutes: fc.constantFrom(3, 30, 61) });
const press = fc.record({
  kind: fc.constant('press' as const),
  fraction: fc.constantFrom(0.25, 0.5, 1),
});

function writes(...keys: string[]): fc.Arbitrary<Step> {
  const key = fc.constantFrom(...keys);
  const plain = fc.record({ kind: fc.constant('write' as const), key, tombstone: coin });
  const timed = { kind: fc.constant('timed' as const), key, tombstone: coin, back: fc.nat(15) };
  return fc.oneof(plain, { weight: 3, arbitrary: fc.record(timed) });
}

function rules(prefixes: string[], keep: fc.Arbitrary<number | undefined>): fc.Arbitrary<Step> {
  const rule = fc.record({
    prefix: fc.constantFrom(...prefixes),
    keepMs: keep,
    versions: fc.nat(5),
    ttlMs: fc.constant(0),
  });
  return fc.record({
    kind: fc.constant('rules' as const),
    rules: fc.array(rule, { maxLength: prefixes.length }),
  });
}

/** Takes steps on both replicas and checks after each of them. */
class Run {
  dropped = 0;
  readonly #log: LogEntry[] = [];
  readonly #hoarding = new HoardingReplica();
  readonly #compacting = new CompactingReplica(this.#log);
  readonly #hidden = new Set<number>();
  readonly #versions: number[] = [];
  #now = BEGIN;
  #lastVersion = 0;
  #revision = 0;

  take(step: Step): void {
    switch (step.kind) {
      case 'write':
      case 'timed':
        this.#write(step);
        break;
      case 'wait':
        this.#now += step.minutes * MINUTE;
        break;
      case 'rules':
        this.#revision += 1;
        this.#append({
          kind: 'rules',
          version: this.#nextVersion(),
          revision: this.#revision,
          rules: step.rules,
        });
        break;
      case 'rest':
        this.#now += 61 * MINUTE;
        this.#letGo(this.#hoarding.retention.nextWatermark(this.#now));
        break;
      case 'watermark':
        this.#letGo(this.#hoarding.retention.nextWatermark(this.#now));
        break;
      case 'press': {
        const options = { fraction: step.fraction, now: this.#now, oldest: BEGIN - 200 * MINUTE };
        this.#letGo(this.#hoarding.retention.pressed(options));
        break;
      }
      case 'startCompaction':
      case 'compact':
        this.#compacting.startCompaction(step.first, step.count);
        if (step.kind === 'compact') this.#compacting.finishCompaction();
        break;
      default:
        this.#compacting[step.kind]();
    }
    this.#check();
    this.dropped = this.#compacting.dropped;
  }

  #write(step: Step & { kind: 'write' | 'timed' }): void {
    const grid = 10 * MINUTE;
    const eventTime = step.kind === 'write' ? 0 : Math.floor(this.#now / grid - step.back) * grid;
    const { key, tombstone } = step;
    const version = this.#nextVersion();
    this.#versions.push(version);
    this.#append({ kind: 'write', version, key, eventTime, tombstone });
  }

  #letGo(cutoffs: { prefix: string; time: number }[]): void {
    this.#append({ kind: 'watermark', version: this.#nextVersion(), cutoffs, expiryFloor: 0 });
  }

  #append(entry: LogEntry): void {
    this.#log.push(entry);
    const before = this.#hoarding.retention;
    this.#hoarding.apply(entry);
    this.#compacting.catchUp();
    for (const key of KEYS) this.#neverGoesBack(key, before, this.#hoarding.retention);
  }

  #neverGoesBack(key: string, before: Retention, after: Retention): void {
    const [old, now] = [before.of(utf8(key)), after.of(utf8(key))];
    if (old === now) return;
    assert(now.cutoff >= old.cutoff && now.tombstoneCutoff >= old.tombstoneCutoff);
    for (const version of this.#versions) {
      assert(version < now.cutoff || countFor(now, version) <= countFor(old, version));
    }
  }

  #check(): void {
    assert(this.#compacting.retention.equals(this.#hoarding.retention));
    for (const key of KEYS) {
      const all = this.#hoarding.series(key);
      const visible = this.#hoarding.visible(key);
      assert.deepEqual(this.#compacting.visible(key), visible, key);
      assert(
        visible.every(({ version }) => !this.#hidden.has(version)),
        'none comes back',
      );
      assert(
        all[0] === undefined || all[0].tombstone || visible[0] === all[0],
        'the newest is seen',
      );
      for (const stored of all) if (!visible.includes(stored)) this.#hidden.add(stored.version);
    }
  }

  #nextVersion(): number {
    this.#lastVersion = Math.max(this.#now, this.#lastVersion + 1);
    return this.#lastVersion;
  }
}

function countFor({ limits }: KeyRetention, version: number): number {
  const counts = limits
    .filter(({ upToVersion }) => version <= upToVersion)
    .map(({ count }) => count);
  return Math.min(Number.POSITIVE_INFINITY, ...counts);
}

/** Runs all steps one by one, often; returns how many entries compactions have dropped. */
function check(step: fc.Arbitrary<Step>, options: { begin?: Step[]; runs: number }): number {
  let dropped = 0;
  const steps = fc.array(step, { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, (generated) => {
      const run = new Run();
      for (const step of [...(options.begin ?? []), ...generated]) run.take(step);
      dropped += run.dropped;
    }),
    { numRuns: options.runs },
  );
  return dropped;
}

// Each step is followed by the whole check: both replicas show the same, nothing that was hidden comes
// back, and no newest value is hidden.
describe('compaction cannot be seen', () => {
  it('when tombstones go', () => {
    const keepNothing = { prefix: '', keepMs: 0, versions: 0, ttlMs: 0 };
    const step = fc.oneof(
      { weight: 4, arbitrary: writes('p') },
      { weight: 4, arbitrary: disk },
      { weight: 3, arbitrary: compact },
      { weight: 3, arbitrary: of('rest') },
      { weight: 1, arbitrary: of('watermark') },
    );
    const dropped = check(step, { begin: [{ kind: 'rules', rules: [keepNothing] }], runs: 300 });
    expect(dropped).toBeGreaterThan(250);
  });

  it('when counts change', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: writes('p', 'p/q') },
      { weight: 2, arbitrary: of('flush') },
      { weight: 1, arbitrary: compact },
      { weight: 1, arbitrary: wait },
      { weight: 2, arbitrary: rules(['', 'p', 'p/q'], fc.constant(undefined)) },
    );
    expect(check(step, { runs: 200 })).toBeGreaterThan(100);
  });

  it('whatever happens', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: writes(...KEYS) },
      { weight: 3, arbitrary: disk },
      { weight: 2, arbitrary: compact },
      { weight: 1, arbitrary: wait },
      { weight: 2, arbitrary: rules(['', 'p', 'p/q', 'p1'], keepMs) },
      { weight: 2, arbitrary: of('watermark') },
      { weight: 1, arbitrary: press },
    );
    expect(check(step, { runs: 200 })).toBeGreaterThan(100);
  });
});
