import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { StreamEvent } from '../model/event-stream.ts';
import { currentOf, historyOf, type Stored, storedOf } from './keys.ts';
import { type WatchState, watch } from './watch.ts';

/** One key as it is now and was, kept up to date. */
export interface KeyState {
  readonly name: string;
  /** Undefined until it is known. */
  readonly current: ReadonlySignal<Stored | undefined>;
  readonly expiresAtMs: ReadonlySignal<number | undefined>;
  /** Why it is not. */
  readonly problem: ReadonlySignal<string | undefined>;
  readonly watch: ReadonlySignal<WatchState>;
  /** Newest first. */
  readonly history: ReadonlySignal<readonly Stored[]>;
  /** Whether there is more of it, or why it could not be read. */
  readonly rest: ReadonlySignal<{ readonly isMore: boolean; readonly problem: string | undefined }>;
  loadOlder(): Promise<void>;
}

const HISTORY_PAGE = 50;
/** Of a key that changes all the time, so much is kept of what comes in. */
const HISTORY_MAX = 2_000;

const NOTHING: Stored = { version: undefined, atMs: undefined, value: undefined };

export function useKey(name: string): KeyState {
  const key = useMemo(() => new FollowedKey(name), [name]);
  useEffect(() => {
    const controller = new AbortController();
    void key.follow(controller.signal);
    return () => controller.abort();
  }, [key]);
  return key;
}

class FollowedKey implements KeyState {
  readonly name: string;
  readonly current = signal<Stored | undefined>(undefined);
  readonly expiresAtMs = signal<number | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  readonly watch = signal<WatchState>({ kind: 'connecting' });
  readonly history = signal<readonly Stored[]>([]);
  readonly rest = signal<{ isMore: boolean; problem: string | undefined }>({
    isMore: false,
    problem: undefined,
  });
  #next: string | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** Until the signal. */
  async follow(signal: AbortSignal): Promise<void> {
    void this.#readCurrent();
    void this.loadOlder();
    let isSeen = false;
    const onEvent = ({ type, data }: StreamEvent): void => {
      if (type === 'snapshot-begin') isSeen = false;
      if (type === 'snapshot-complete' && !isSeen) this.#take(NOTHING);
      if (type !== 'value') return;
      isSeen = true;
      this.#take(storedOf(JSON.parse(data)));
    };
    const onState = (state: WatchState): void => {
      this.watch.value = state;
    };
    await watch(this.name, { onEvent, onState }, signal);
  }

  async loadOlder(): Promise<void> {
    const after = this.#next;
    const query = { limit: HISTORY_PAGE, ...(after === null ? {} : { after }) };
    const answer = await historyOf(this.name, query);
    if (answer.kind !== 'ok') {
      this.rest.value = { isMore: this.#next !== null, problem: answer.detail };
      return;
    }
    this.#next = answer.body.next;
    this.history.value = joined(this.history.peek(), answer.body.items);
    this.rest.value = { isMore: this.#next !== null, problem: undefined };
  }

  async #readCurrent(): Promise<void> {
    const answer = await currentOf(this.name);
    if (answer.kind === 'ok') {
      this.expiresAtMs.value = answer.body.expiresAtMs;
      this.#show(answer.body);
    } else if (answer.kind === 'refused' && answer.status === 404) {
      this.expiresAtMs.value = undefined;
      this.#show(NOTHING);
    } else {
      this.problem.value = answer.detail;
    }
  }

  /** A change. Whether it expires is not part of it. */
  #take(stored: Stored): void {
    if (stored !== NOTHING) {
      this.history.value = joined([stored], this.history.peek()).slice(0, HISTORY_MAX);
    }
    this.#show(stored);
    if (this.expiresAtMs.peek() !== undefined) void this.#readCurrent();
  }

  #show(stored: Stored): void {
    const known = this.current.peek()?.version ?? 0;
    if (stored.version !== undefined && stored.version < known) return;
    this.problem.value = undefined;
    this.current.value = stored;
  }
}

/** What is in both is there once. */
function joined(newer: readonly Stored[], older: readonly Stored[]): Stored[] {
  const versions = new Set(newer.map(({ version }) => version));
  const all = [...newer, ...older.filter(({ version }) => !versions.has(version))];
  return all.sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0) || (b.version ?? 0) - (a.version ?? 0));
}
