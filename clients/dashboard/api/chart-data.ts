import { type ReadonlySignal, signal } from '@preact/signals';
import type { ChartLine } from '../model/chart-query.ts';
import type { StreamEvent } from '../model/event-stream.ts';
import { filtersOf } from '../model/filters.ts';
import { likelyPath, numberAt, numberPaths, parseJsonPath } from '../model/json-path.ts';
import { Points } from '../model/points.ts';
import type { Value } from '../model/value.ts';
import { historyOf, type Stored, storedOf } from './keys.ts';
import { type WatchState, watch } from './watch.ts';

/** A line with its points, which change without a new object: `revision` says so. */
export interface LineData {
  readonly line: ChartLine;
  readonly points: Points;
  readonly revision: ReadonlySignal<number>;
  /** What is wrong or missing; undefined: nothing. */
  readonly note: ReadonlySignal<string | undefined>;
  /** Where in the newest value numbers are. */
  readonly paths: ReadonlySignal<readonly string[]>;
  /** Which of them is drawn: of a line that says nothing the likely one. */
  readonly path: ReadonlySignal<string>;
}

const PAGE_ITEMS = 1_000;
/** Of a key with more points in the range only the newest are drawn, and that is said. */
const PAGES_MAX = 6;
/** A browser has six connections to a node. */
const STREAMS_MAX = 3;

/** The past and the present of some lines, until it is closed. */
export class ChartData {
  readonly lines: readonly LineData[];
  readonly watch = signal<WatchState>({ kind: 'connecting' });
  readonly #loaders: readonly LineLoader[];
  readonly #controller = new AbortController();

  constructor(lines: readonly ChartLine[], rangeMs: number) {
    this.#loaders = lines.map((line) => new LineLoader(line, rangeMs));
    this.lines = this.#loaders;
    const { signal: closed } = this.#controller;
    for (const loader of this.#loaders) void loader.loadPast(closed);
    const keys = [...new Set(lines.map(({ key }) => key))];
    for (const filter of filtersOf(keys, STREAMS_MAX)) this.#follow(filter);
  }

  close(): void {
    this.#controller.abort();
  }

  #follow(filter: string): void {
    const onEvent = ({ type, data }: StreamEvent): void => {
      if (type !== 'value') return;
      const document = JSON.parse(data) as { key: string };
      const stored = storedOf(document);
      for (const loader of this.#loaders) {
        if (loader.line.key === document.key) loader.take(stored);
      }
    };
    const onState = (state: WatchState): void => {
      this.watch.value = state;
    };
    void watch(filter, { onEvent, onState }, this.#controller.signal);
  }
}

class LineLoader implements LineData {
  readonly line: ChartLine;
  readonly points = new Points();
  readonly revision = signal(0);
  readonly note = signal<string | undefined>(undefined);
  readonly paths = signal<readonly string[]>([]);
  readonly path = signal('');
  readonly #rangeMs: number;

  constructor(line: ChartLine, rangeMs: number) {
    this.line = line;
    this.#rangeMs = rangeMs;
    this.path.value = line.path;
  }

  async loadPast(closed: AbortSignal): Promise<void> {
    const fromMs = Date.now() - this.#rangeMs;
    let after: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query: Parameters<typeof historyOf>[1] = { fromMs, limit: PAGE_ITEMS };
      const answer = await historyOf(this.line.key, after === null ? query : { ...query, after });
      if (closed.aborted) return;
      if (answer.kind !== 'ok') {
        this.note.value = answer.detail;
        return;
      }
      const { items, next } = answer.body;
      if (page === 0) this.#lookAt(items[0]?.value);
      this.points.addOlder(items.flatMap((item) => this.#pointOf(item) ?? []));
      this.revision.value += 1;
      if (next === null) {
        if (this.points.numbers.length === 0) this.note.value = 'No number in this range yet.';
        return;
      }
      after = next;
    }
    this.note.value = `Only the newest ${PAGES_MAX * PAGE_ITEMS} values are drawn.`;
  }

  take(stored: Stored): void {
    this.#lookAt(stored.value);
    const point = this.#pointOf(stored);
    if (point === undefined) return;
    this.points.add(point.atMs, point.number);
    this.points.dropBefore(Date.now() - this.#rangeMs);
    this.note.value = undefined;
    this.revision.value += 1;
  }

  #lookAt(value: Value | undefined): void {
    const paths = value?.kind === 'json' ? numberPaths(value.json) : [];
    if (paths.join() !== this.paths.peek().join()) this.paths.value = paths;
    if (this.path.peek() === '' && value?.kind === 'json') this.path.value = likelyPath(value.json);
  }

  #pointOf({ atMs, value }: Stored): { atMs: number; number: number } | undefined {
    if (atMs === undefined || value === undefined || value.kind === 'binary') return undefined;
    const json = value.kind === 'json' ? value.json : value.text;
    const number = numberAt(json, parseJsonPath(this.path.peek()) ?? []);
    return number === undefined ? undefined : { atMs, number };
  }
}
