import { describe, expect, it } from 'vitest';
import { carryOut } from '../../broker/answers.ts';
import { type ParsedRequest, parseHistory, parseList, parseRange } from '../../broker/requests.ts';
import type { SeededRandom } from '../support/random.ts';
import { encode, put, SimCluster } from './cluster.ts';

const PREFIX = 'p';
const HOUR_UNITS = 3_600_000 * 4096;
/** Of writes, and of pages; so there are a few writes between two pages, and some on the way while one is read. */
const PAUSE_MS_MAX = 12;

interface Item {
  readonly key?: string;
  readonly version: number;
}

interface Reply {
  readonly ok: boolean;
  readonly keys?: readonly string[];
  readonly items?: readonly Item[];
  readonly more: boolean;
  readonly next: string | null;
}

/** A cluster that is written to all the time, and what of it must be seen. */
class BusyCluster {
  readonly cluster: SimCluster;
  readonly random: SeededRandom;
  /** The version that was acknowledged last, of keys that are never deleted. */
  readonly stable = new Map<string, number>();
  /** Keys that are written and deleted in turn. */
  readonly fleeting: readonly string[];
  /** Times by version, of what the key `line` has held and has been acknowledged. */
  readonly line = new Map<number, number>();
  isStopping = false;
  #running = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(nodes: number, seed: number) {
    const options = { nodes, seed, shardCount: nodes, memtableBytes: 4 * 1024 };
    this.cluster = new SimCluster(options);
    this.random = this.cluster.random;
    // The prefix itself, empty levels, and neighbours on both sides that do not belong to it.
    const names = ['p', 'p/', 'p//', 'p!', 'p0', 'p10/a', 'o/z', 'q', 'p/ä', 'p/\u{1}', 'p/~'];
    for (let i = 0; i < 40; i += 1) names.push(`p/${this.random.below(36 ** 3).toString(36)}`);
    for (const name of names) this.stable.set(name, 0);
    this.fleeting = Array.from(
      { length: 25 },
      () => `p/${this.random.below(46_656).toString(36)}x`,
    );
  }

  async start(): Promise<void> {
    await this.cluster.startAll();
    for (const key of this.stable.keys()) await this.#wait(this.#writeStable(key));
    for (let i = 0; i < 20; i += 1) await this.#wait(this.#writeLine());
    this.go(() => this.#writeStable(this.random.pick([...this.stable.keys()])));
    this.go(() =>
      this.#put(this.random.pick(this.fleeting), this.random.chance(0.5) ? 'here' : ''),
    );
    this.go(() => this.#writeLine());
  }

  /** Does something again and again, until the end. */
  go(step: () => Promise<unknown>): void {
    this.#running += 1;
    const loop = async (): Promise<void> => {
      while (!this.isStopping) {
        await step();
        await this.pause();
      }
    };
    void loop().then(
      () => {
        this.#running -= 1;
      },
      (error: unknown) => {
        this.#failure ??= { error };
      },
    );
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.until('all have ended', () => this.#running === 0);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await this.cluster.world.until(what, () => this.#failure !== undefined || condition());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  pause(): Promise<void> {
    const pauseMs = this.random.below(PAUSE_MS_MAX);
    return new Promise((resolve) => this.cluster.world.at(pauseMs, resolve));
  }

  /** One page through any node, as a client gets it. */
  async page(parsed: ParsedRequest): Promise<Reply> {
    if (parsed.kind === 'refused') throw new Error(parsed.message);
    const dataPlane = this.cluster.dataPlane(this.random.pick(this.cluster.machines));
    const client = { userName: '', clientId: 'reader', connection: '' };
    const { reply } = await carryOut(dataPlane, client, parsed.request);
    expect(reply).toMatchObject({ ok: true });
    return reply as Reply;
  }

  async #writeStable(key: string): Promise<void> {
    this.stable.set(key, await this.#put(key, 'x'.repeat(this.random.below(200) + 1)));
  }

  /** A value of the key with a history: at times a late one, or a delete. */
  async #writeLine(): Promise<void> {
    const value = this.random.chance(0.1) ? '' : 'v'.repeat(this.random.below(100) + 1);
    const newest = Math.max(0, ...this.line.keys());
    const isLate = newest > 0 && this.random.chance(0.3);
    const time = isLate ? newest - this.random.below(HOUR_UNITS) : 0;
    const version = await this.#put('line', value, time);
    this.line.set(version, time === 0 ? version : time);
  }

  #put(key: string, value: string, time = 0): Promise<number> {
    const machine = this.random.pick(this.cluster.machines);
    return put(this.cluster.dataPlane(machine), key, value, time);
  }

  #wait<T>(promise: Promise<T>): Promise<T> {
    return this.cluster.world.resolve('a write', promise);
  }
}

/** Reads all keys page by page and checks what must be true of them. */
async function readKeys(busy: BusyCluster): Promise<number> {
  const { random } = busy;
  const op = random.pick(['list', 'range'] as const);
  const reverse = op === 'range' && random.chance(0.5);
  const prefix = random.chance(0.7) ? PREFIX : '';
  const keysKnown = [...busy.stable.keys()].sort(byBytes);
  const from = op === 'range' && random.chance(0.3) ? random.pick(keysKnown) : undefined;
  const to = op === 'range' && random.chance(0.3) ? random.pick(keysKnown) : undefined;
  const values = random.chance(0.5);
  const seen: string[] = [];
  let after: string | undefined;
  for (;;) {
    const limit = 1 + random.below(7);
    const before = new Map(busy.stable);
    const members = op === 'list' ? { limit, values, after } : { limit, reverse, from, to, after };
    const parse = op === 'list' ? parseList : parseRange;
    const page = await busy.page(parse(encode(prefix), encode(JSON.stringify(members))));
    const keys = page.keys ?? (page.items ?? []).map(({ key }) => key as string);
    expect(keys.length).toBeLessThanOrEqual(limit);
    // Each key is read linearizably: what was acknowledged before the page was asked for is in it.
    for (const { key = '', version } of page.items ?? []) {
      expect(version).toBeGreaterThanOrEqual(before.get(key) ?? 0);
    }
    seen.push(...keys);
    if (!page.more) {
      expect(page.next).toBeNull();
      break;
    }
    expect(page.next).toBe(keys.at(-1));
    after = page.next ?? undefined;
    await busy.pause();
  }
  const isAsked = (key: string): boolean =>
    (prefix === '' || key === prefix || key.startsWith(`${prefix}/`)) &&
    (from === undefined || byBytes(key, from) >= 0) &&
    (to === undefined || byBytes(key, to) < 0);
  const what = JSON.stringify({ op, prefix, from, to, reverse });
  const inOrder = [...new Set(seen)].sort(byBytes);
  expect(seen, what).toEqual(reverse ? inOrder.reverse() : inOrder);
  expect(seen.filter((key) => busy.stable.has(key)).sort(byBytes), what).toEqual(
    keysKnown.filter(isAsked),
  );
  expect(
    seen.filter((key) => !isAsked(key)),
    what,
  ).toEqual([]);
  const known = new Set([...keysKnown, ...busy.fleeting, 'line']);
  expect(
    seen.filter((key) => !known.has(key)),
    what,
  ).toEqual([]);
  return seen.length;
}

/** Reads the history of a key page by page. */
async function readHistory(busy: BusyCluster): Promise<number> {
  const { random } = busy;
  const order = random.pick(['asc', 'desc'] as const);
  const due = [...busy.line.keys()];
  const seen: Item[] = [];
  let after: string | undefined;
  for (;;) {
    const members = { order, limit: 1 + random.below(7), after };
    const page = await busy.page(parseHistory(encode('line'), encode(JSON.stringify(members))));
    seen.push(...(page.items ?? []));
    if (!page.more) break;
    after = page.next ?? undefined;
    await busy.pause();
  }
  const versions = seen.map(({ version }) => version);
  expect(new Set(versions).size).toBe(versions.length);
  const times = versions.map((version) => busy.line.get(version));
  const known = times.filter((time) => time !== undefined);
  const inOrder = known.toSorted((a, b) => (order === 'asc' ? a - b : b - a));
  expect(known).toEqual(inOrder);
  expect(due.filter((version) => !versions.includes(version))).toEqual([]);
  return seen.length;
}

describe('pages read while writes and deletes go on', () => {
  it.each([
    { nodes: 3, seed: 201 },
    { nodes: 5, seed: 202 },
    { nodes: 3, seed: 203 },
    { nodes: 5, seed: 204 },
  ])(
    'skip and repeat nothing that was there all the time: $nodes nodes, seed $seed',
    async ({ nodes, seed }) => {
      const busy = new BusyCluster(nodes, seed);
      await busy.start();
      let read = 0;
      let rounds = 0;
      for (let reader = 0; reader < 4; reader += 1) {
        const readAll = reader === 0 ? readHistory : readKeys;
        busy.go(async () => {
          read += await readAll(busy);
          rounds += 1;
        });
      }
      await busy.until('enough was read', () => rounds >= 16);
      await busy.stop();
      expect(read).toBeGreaterThan(150);
      for (const { active } of busy.cluster.machines) {
        expect(active.engine.statistics().flushedBytes).toBeGreaterThan(0);
      }
    },
  );
});

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
