import assert from 'node:assert/strict';
import type { DataPlane, WriteFailure, WriteSink } from '../data-plane.ts';
import type { BrokerEnv } from '../env.ts';
import type { BrokerLimits } from '../limits.ts';
import { keyBytes } from '../reserved-keys.ts';

/** Something to store, by whoever waits for nothing. */
export interface Write {
  readonly owner: string;
  /** As text. */
  readonly key: string;
  /** Of what waits under one name only the newest is written; the key, mostly. */
  readonly name: string;
  /** Empty deletes. */
  readonly value: Uint8Array;
  /** Wall clock; undefined: never. */
  readonly expiresAtMs: number | undefined;
  /** The first to give way when there is no room. */
  readonly isQueued: boolean;
  /** Called at most once, and not at all if a newer write has taken its place. */
  readonly settled: (outcome: WriteOutcome) => void;
}

/** `version` 0: it is not known. */
export type WriteOutcome =
  | { readonly kind: 'stored'; readonly version: number }
  | { readonly kind: 'dropped' };

/** The writes of one owner, in order. */
interface Line {
  readonly owner: string;
  /** By name. */
  readonly waiting: Map<string, Write>;
  /** All handed over at once, and the next ones when each has its outcome: so their order holds if some fail. */
  readonly underWay: Set<Write>;
  failed: Write[];
}

interface UnderWay {
  readonly line: Line;
  readonly write: Write;
  readonly sinceMs: number;
}

/** The largest value that the store takes (DESIGN §3). */
export const STORED_BYTES_MAX = 1024 * 1024;
const UNDER_WAY_MAX = 4_000;
const AFTER_FAILURE_MS = 1_000;
/** Where there is no room a write is tried so often, after ever longer times: about four minutes. */
const FULL_TRIES_MAX = 10;
const AFTER_FULL_MS_MAX = 60_000;
/** A commit that takes longer than this has no quorum. */
const SLOW_MS = 2_000;
/** What a write costs beside its value. */
const OVERHEAD_BYTES = 256;

/**
 * Writes that nobody waits for. Those of an owner are stored in order, of each name the newest; what fails is tried
 * again until it is stored, as long as there is room to keep it here; what the store itself has no room for is dropped in
 * the end.
 */
export class WriteBehind implements WriteSink {
  readonly #env: BrokerEnv;
  readonly #dataPlane: DataPlane;
  readonly #limits: BrokerLimits;
  readonly #lines = new Map<string, Line>();
  /** Have something to write, and nothing under way. */
  readonly #ready = new Set<Line>();
  readonly #failing = new Set<Line>();
  /** By token: the oldest comes first. */
  readonly #underWay = new Map<number, UnderWay>();
  /** All that is not settled, oldest first. */
  readonly #queued = new Set<Write>();
  readonly #others = new Set<Write>();
  /** How often the store had no room for it. */
  readonly #fullTries = new Map<Write, number>();
  #bytes = 0;
  #whenAllStored: (() => void)[] = [];
  #token = 0;
  #hasRoom = true;
  #isPumping = false;
  #isStopped = false;

  constructor(options: {
    readonly env: BrokerEnv;
    readonly dataPlane: DataPlane;
    readonly limits: BrokerLimits;
  }) {
    this.#env = options.env;
    this.#dataPlane = options.dataPlane;
    this.#limits = options.limits;
  }

  add(write: Write): void {
    assert(write.value.length <= STORED_BYTES_MAX, 'what is too large is not written');
    if (this.#isStopped) return;
    const line = this.#lines.get(write.owner) ?? newLine(write.owner);
    this.#lines.set(write.owner, line);
    const older = line.waiting.get(write.name);
    if (older !== undefined) this.#remove(line, older);
    line.waiting.set(write.name, write);
    (write.isQueued ? this.#queued : this.#others).add(write);
    this.#bytes += sizeOf(write);
    if (line.underWay.size === 0 && !this.#failing.has(line)) this.#ready.add(line);
    this.#makeRoom();
    this.#pumpSoon();
  }

  /** Whether what is written is stored, as far as anybody can tell. */
  get isStoring(): boolean {
    const [oldest] = this.#underWay.values();
    const sinceMs = oldest?.sinceMs ?? Number.POSITIVE_INFINITY;
    return this.#failing.size === 0 && this.#env.clock.monotonicMs() - sinceMs < SLOW_MS;
  }

  writeCommitted(token: number, version: number): void {
    const underWay = this.#take(token);
    if (underWay === undefined) return;
    const { line, write } = underWay;
    this.#failing.delete(line);
    this.#settle(write, { kind: 'stored', version });
    this.#answered(line);
  }

  writeFailed(token: number, failure: WriteFailure): void {
    const underWay = this.#take(token);
    if (underWay === undefined) return;
    if (failure === 'stopping') return this.stop();
    const { line, write } = underWay;
    this.#failing.add(line);
    if (this.#isKept(write)) {
      if (failure === 'storage-full' && this.#isHopeless(write)) {
        this.#settle(write, { kind: 'dropped' });
      } else line.failed.push(write);
    }
    this.#answered(line);
  }

  writesDrained(): void {
    this.#hasRoom = true;
    this.#pumpSoon();
  }

  /** Resolves when nothing is left to be stored. */
  allStored(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenAllStored.push(resolve);
      this.#lookWhetherAllStored();
    });
  }

  /** What was not handed over by now is lost. */
  stop(): void {
    this.#isStopped = true;
    for (const each of [this.#lines, this.#ready, this.#failing, this.#underWay]) each.clear();
    for (const each of [this.#queued, this.#others, this.#fullTries]) each.clear();
    this.#lookWhetherAllStored();
  }

  #lookWhetherAllStored(): void {
    if (this.#queued.size + this.#others.size > 0) return;
    for (const tell of this.#whenAllStored.splice(0)) tell();
  }

  #pumpSoon(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#env.yield(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    for (const line of this.#ready) {
      if (!this.#hasRoom || this.#underWay.size >= UNDER_WAY_MAX) return;
      this.#ready.delete(line);
      const writes = [...line.waiting.values()];
      line.waiting.clear();
      if (writes.length === 0) this.#lines.delete(line.owner);
      for (const write of writes) line.underWay.add(write);
      for (const write of writes) this.#handOver(line, write);
    }
  }

  #handOver(line: Line, write: Write): void {
    const { clock } = this.#env;
    const { expiresAtMs = Number.POSITIVE_INFINITY } = write;
    const leftMs = expiresAtMs - clock.nowMs();
    const ttlMs = Number.isFinite(leftMs) ? Math.max(0, Math.ceil(leftMs)) : 0;
    const key = keyBytes(write.key);
    // What has expired meanwhile is not stored, and what it was to replace is over.
    const bytes = leftMs > 0 ? Buffer.concat([key, write.value]) : key;
    const end = key.length;
    const token = ++this.#token;
    this.#underWay.set(token, { line, write, sinceMs: clock.monotonicMs() });
    const { length } = bytes;
    if (!this.#dataPlane.write(this, token, bytes, 0, end, end, length, 0, ttlMs)) {
      this.#hasRoom = false;
    }
  }

  #take(token: number): UnderWay | undefined {
    const underWay = this.#underWay.get(token);
    this.#underWay.delete(token);
    underWay?.line.underWay.delete(underWay.write);
    return underWay;
  }

  #answered(line: Line): void {
    if (line.underWay.size > 0) return;
    const failed = line.failed.filter((write) => this.#isKept(write));
    line.failed = [];
    const later = [...line.waiting.values()];
    line.waiting.clear();
    for (const write of failed) line.waiting.set(write.name, write);
    for (const write of later) {
      const older = line.waiting.get(write.name);
      if (older !== undefined) this.#remove(line, older);
      line.waiting.set(write.name, write);
    }
    if (failed.length === 0) return this.#goOn(line);
    this.#failing.add(line);
    const tries = Math.max(1, ...failed.map((write) => this.#fullTries.get(write) ?? 1));
    const delayMs = Math.min(AFTER_FAILURE_MS * 2 ** (tries - 1), AFTER_FULL_MS_MAX);
    this.#env.timers.after(delayMs, () => this.#goOn(line));
  }

  /** The store has no room for it, once more. */
  #isHopeless(write: Write): boolean {
    const tries = (this.#fullTries.get(write) ?? 0) + 1;
    this.#fullTries.set(write, tries);
    return tries === FULL_TRIES_MAX;
  }

  #goOn(line: Line): void {
    if (this.#isStopped) return;
    if (line.waiting.size === 0) {
      this.#failing.delete(line);
      this.#lines.delete(line.owner);
    } else {
      this.#ready.add(line);
      this.#pumpSoon();
    }
  }

  #makeRoom(): void {
    const { unstoredWritesMax, unstoredBytesMax } = this.#limits;
    for (;;) {
      const count = this.#queued.size + this.#others.size;
      if (count <= unstoredWritesMax && this.#bytes <= unstoredBytesMax) return;
      const [oldest] = this.#queued.size > 0 ? this.#queued : this.#others;
      if (oldest === undefined) return;
      const line = this.#lines.get(oldest.owner);
      if (line !== undefined) this.#remove(line, oldest);
      oldest.settled({ kind: 'dropped' });
    }
  }

  /** It is under way already, maybe: then it may be stored yet. */
  #remove(line: Line, write: Write): void {
    if (line.waiting.get(write.name) === write) line.waiting.delete(write.name);
    this.#release(write);
  }

  #settle(write: Write, outcome: WriteOutcome): void {
    if (this.#release(write)) write.settled(outcome);
    this.#lookWhetherAllStored();
  }

  #isKept(write: Write): boolean {
    return this.#queued.has(write) || this.#others.has(write);
  }

  #release(write: Write): boolean {
    this.#fullTries.delete(write);
    const isKept = this.#queued.delete(write) || this.#others.delete(write);
    if (isKept) this.#bytes -= sizeOf(write);
    return isKept;
  }
}

function newLine(owner: string): Line {
  return { owner, waiting: new Map(), underWay: new Set(), failed: [] };
}

function sizeOf({ value }: Write): number {
  return value.length + OVERHEAD_BYTES;
}
