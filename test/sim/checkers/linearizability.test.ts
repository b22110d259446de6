import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../support/random.ts';
import { linearizesByBruteForce } from './brute-force.ts';
import { History, type Operation, type Outcome, type Request } from './history.ts';
import { linearize } from './linearizability.ts';
import { picture } from './picture.ts';
import { shortestFailing } from './shortest.ts';

/** A history from lines such as `a: put x -> @1`; `a> put x` only calls and `a< @1` returns. */
function historyOf(...lines: readonly string[]): Operation[] {
  let nowMs = 0;
  const history = new History(() => nowMs++);
  const open = new Map<string, Operation>();
  for (const line of lines) {
    const [, client = '', kind, rest = ''] = /^(\w+)([:<>]) (.*)$/.exec(line) ?? [];
    const [request = '', outcome = ''] = kind === '<' ? ['', rest] : rest.split(' -> ');
    if (kind !== '<') open.set(client, history.call(client, 'k', requestOf(request)));
    if (kind !== '>') history.return(open.get(client) as Operation, outcomeOf(outcome));
  }
  return history.operations;
}

function requestOf(text: string): Request {
  const [kind, value = '', ifVersion] = text.split(' ');
  if (kind === 'get') return { kind: 'get' };
  if (kind === 'delete') return { kind: 'put', value: '' };
  if (kind === 'put') return { kind: 'put', value };
  return { kind: 'cas', value, ifVersion: Number(ifVersion) || null, token: `t${value}` };
}

function outcomeOf(text: string): Outcome {
  const [value = '', version = ''] = text.split('@');
  if (text === 'none') return { kind: 'not-found' };
  if (text === 'ok') return { kind: 'written', version: 0 };
  if (value === 'won ') return { kind: 'won', version: Number(version) };
  if (value === 'lost ') return { kind: 'lost', version: Number(version) || null };
  if (value === '') return { kind: 'written', version: Number(version) };
  return { kind: 'found', value, version: Number(version) };
}

const verdictOf = (...lines: readonly string[]) => linearize(historyOf(...lines)).kind;

describe('a history', () => {
  it('holds when every operation sees those that returned before it', () => {
    expect(verdictOf('a: get -> none', 'a: put x -> @1', 'b: get -> x@1')).toBe('linearizable');
    expect(verdictOf('a: put x -> @1', 'b: delete -> @2', 'a: get -> none')).toBe('linearizable');
    expect(verdictOf('a: cas x -> won @1', 'a: cas y 1 -> won @2', 'b: cas z 1 -> lost @2')).toBe(
      'linearizable',
    );
  });

  it('fails when a read is stale', () => {
    expect(verdictOf('a: put x -> @1', 'a: put y -> @2', 'b: get -> x@1')).toBe('violation');
    expect(verdictOf('a: put x -> @1', 'b: get -> none')).toBe('violation');
  });

  it('fails when a value comes back, or goes away', () => {
    expect(verdictOf('a> put x', 'b: get -> x@1', 'c: get -> none', 'a< @1')).toBe('violation');
    expect(verdictOf('a> put x', 'b: get -> none', 'c: get -> x@1', 'a< @1')).toBe('linearizable');
  });

  it('lets an operation of unknown outcome happen at any later time, or never, but once', () => {
    expect(verdictOf('a> put x', 'b: put y -> @1', 'b: get -> y@1')).toBe('linearizable');
    expect(verdictOf('a> put x', 'b: put y -> @1', 'b: get -> x@2')).toBe('linearizable');
    const twice = ['b: get -> x@2', 'b: put z -> @3', 'b: get -> x@4'];
    expect(verdictOf('a> put x', ...twice)).toBe('violation');
    expect(verdictOf('a> put x', 'c> put x', ...twice)).toBe('linearizable');
    expect(verdictOf('b: get -> x@1', 'a> put x')).toBe('violation');
    expect(verdictOf('a: put x -> @1', 'a> delete', 'b: get -> none', 'b: get -> x@1')).toBe(
      'violation',
    );
  });

  it('fails when versions go back or two writes have one', () => {
    expect(verdictOf('a: put x -> @2', 'a: put y -> @1')).toBe('violation');
    expect(verdictOf('a: put x -> @2', 'a: get -> x@3')).toBe('violation');
    expect(verdictOf('a> put x', 'b> put y', 'a< @1', 'b< @1')).toBe('violation');
  });

  it('lets one of two comparisons win', () => {
    const both = ['a: cas x -> won @1', 'b> cas y 1', 'c> cas z 1', 'b< won @2'];
    expect(verdictOf(...both, 'c< won @3')).toBe('violation');
    expect(verdictOf(...both, 'c< lost @2')).toBe('linearizable');
    expect(verdictOf('a: cas x -> lost @0')).toBe('violation');
    expect(verdictOf('a: put x -> @1', 'a: cas y 1 -> lost @1')).toBe('violation');
  });

  it('lets a repeated comparison win again while its value is current', () => {
    const once = ['a: cas x -> won @1'];
    expect(verdictOf(...once, 'a: cas x -> won @1')).toBe('linearizable');
    expect(verdictOf(...once, 'b: put y -> @2', 'a: cas x -> won @1')).toBe('violation');
    expect(verdictOf(...once, 'b: put y -> @2', 'a: cas x -> lost @2')).toBe('linearizable');
  });

  it('is decided fast with many operations that nobody was told of', () => {
    const unknown = Array.from(
      { length: 40 },
      (_, i) => `u${i}> ${i % 2 ? 'delete' : `put u${i}`}`,
    );
    const told = Array.from({ length: 60 }, (_, i) => [
      `a: put v${i} -> ok`,
      `b: get -> v${i}@${i + 1}`,
    ]);
    expect(verdictOf(...unknown, ...told.flat())).toBe('linearizable');
    expect(verdictOf(...unknown, ...told.flat(), 'b: get -> v3@4')).toBe('violation');
  });
});

/** Operations that really happened one after the other inside a register, some of them untold, some of it a lie. */
function historyOfSeed(seed: number, size: number, lieRatio: number): Operation[] {
  const random = new SeededRandom(seed);
  const history = new History(() => 0);
  const register = { value: '', version: 0, token: '' };
  let version = 0;
  const pending: { readonly operation: Operation; outcome?: Outcome }[] = [];
  const happen = ({ request }: Operation): Outcome => {
    const { value, version: current } = register;
    if (request.kind === 'get') {
      return value === '' ? { kind: 'not-found' } : { kind: 'found', value, version: current };
    }
    const live = value === '' ? null : current;
    if (request.kind === 'cas' && live !== request.ifVersion) {
      if (value !== '' && register.token === request.token)
        return { kind: 'won', version: current };
      return { kind: 'lost', version: live };
    }
    version += 1 + random.below(2);
    const token = request.kind === 'cas' ? request.token : '';
    Object.assign(register, { value: request.value, version, token });
    if (request.kind === 'cas') return { kind: 'won', version };
    return { kind: 'written', version: random.chance(0.3) ? 0 : version };
  };
  const draw = (): Request => {
    const value = random.pick(['', 'x', 'y', `v${version}`]);
    const ifVersion = random.pick([null, register.version, register.version + 1]);
    return random.pick<Request>([
      { kind: 'get' },
      { kind: 'get' },
      { kind: 'put', value },
      { kind: 'cas', value, ifVersion, token: `t${random.below(2)}` },
    ]);
  };
  while (history.operations.length < size || pending.length > 0) {
    const one = pending.length > 0 ? random.pick(pending) : undefined;
    const choice = random.below(3);
    if (choice === 0 && history.operations.length < size && pending.length < 5) {
      pending.push({ operation: history.call(`c${random.below(3)}`, 'k', draw()) });
    } else if (choice === 1 && one !== undefined && one.outcome === undefined) {
      one.outcome = happen(one.operation);
    } else if (choice === 2 && one !== undefined) {
      const isTold = one.outcome !== undefined && random.chance(0.8);
      const lie: Outcome = random.pick<Outcome>([
        { kind: 'found', value: random.pick(['x', 'y']), version: 1 + random.below(6) },
        { kind: 'not-found' },
      ]);
      if (
        one.outcome !== undefined &&
        one.operation.request.kind === 'get' &&
        random.chance(lieRatio)
      )
        one.outcome = lie;
      if (isTold) history.return(one.operation, one.outcome as Outcome);
      pending.splice(pending.indexOf(one), 1);
    }
  }
  return history.operations;
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe('the search', () => {
  it('accepts whatever really happened one after the other, and gives up seldom', () => {
    let undecided = 0;
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 40 }), (seed, size) => {
        const { kind } = linearize(historyOfSeed(seed, size, 0), 50_000);
        expect(kind).not.toBe('violation');
        if (kind === 'undecided') undecided += 1;
      }),
      { numRuns: 200 },
    );
    expect(undecided).toBeLessThan(20);
  });

  it('says what brute force says', () => {
    const verdicts = { linearizable: 0, violation: 0, undecided: 0 };
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 7 }), (seed, size) => {
        const operations = historyOfSeed(seed, size, 0.3);
        const { kind } = linearize(operations);
        verdicts[kind] += 1;
        expect(kind === 'linearizable').toBe(linearizesByBruteForce(operations));
      }),
      { numRuns: 2_000 },
    );
    expect(verdicts.violation).toBeGreaterThan(100);
    expect(verdicts.linearizable).toBeGreaterThan(100);
  });

  it('puts nothing before what had returned before it was called', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const verdict = linearize(historyOfSeed(seed, 12, 0));
        if (verdict.kind !== 'linearizable') throw new Error(verdict.kind);
        for (const [i, later] of verdict.order.entries()) {
          for (const earlier of verdict.order.slice(0, i))
            expect(later.returnedAt).toBeGreaterThan(earlier.calledAt);
        }
      }),
    );
  });
});

describe('the shortest failing history', () => {
  it('cannot have happened either', () => {
    let found = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const operations = historyOfSeed(seed, 7, 0.4);
        if (linearizesByBruteForce(operations)) return;
        found += 1;
        const shortest = shortestFailing(operations);
        expect(linearizesByBruteForce(shortest)).toBe(false);
        expect(shortest.length).toBeLessThanOrEqual(operations.length);
      }),
      { numRuns: 2_000 },
    );
    expect(found).toBeGreaterThan(20);
  });

  it('is drawn with time from left to right', () => {
    const noise = Array.from({ length: 30 }, (_, i) => [
      `c: put n${i} -> @${i + 1}`,
      `c: get -> n${i}@${i + 1}`,
    ]);
    const operations = historyOf(
      ...noise.flat(),
      'a> put x',
      'b: get -> x@40',
      'd> put y',
      'c: get -> n29@30',
      'a< @40',
    );
    expect(picture(shortestFailing(operations))).toMatchInlineSnapshot(`
      "a                       |- put x - - ?
      b                          |- get -> x@2 -|
      c  |- put n29 -> @1 -|                       |- get -> n29@1 -|"
    `);
  });
});
