import assert from 'node:assert/strict';
import { readU32, writeU32 } from '../../lsm/bytes.ts';
import { type Choice, editFor, inputsOf } from '../../lsm/compaction/choice.ts';
import type { TableMeta } from '../../lsm/sstable/table-meta.ts';
import { Version } from '../../lsm/version/version.ts';
import { applyEdit, EMPTY_STATE } from '../../lsm/version/version-edit.ts';

/** Keys of the simulation are numbers below this, in big-endian order as bytes. */
export const KEY_SPACE = 2 ** 32;

export function keyOfNumber(value: number): Uint8Array {
  const key = new Uint8Array(4);
  writeU32(key, 0, value);
  return key.reverse();
}
export const numberOf = (key: Uint8Array): number => readU32(key.slice().reverse(), 0);

export interface PolicyOptions {
  readonly tableBytes: number;
  readonly borders: readonly Uint8Array[];
  /** What stays of so many bytes of versions in a key range: with overwritten keys less than there were. */
  readonly live?: (bytes: number, from: number, to: number) => number;
}

/** Decides on a version; what it returns comes back as the argument next time. */
export type Policy = (version: Version, last: Choice | undefined) => Choice;

/** A storage engine without a disk: tables have a range of keys over which their bytes lie evenly. */
export class PolicySimulation {
  readonly #options: PolicyOptions;
  readonly #policy: Policy;
  #nextFileNumber = 1;
  #last: Choice | undefined;
  version = Version.empty;
  flushedBytes = 0;
  rewrittenBytes = 0;
  jobs = 0;
  /** Of inputs, in one job. */
  jobBytesMax = 0;
  runsMax = 0;

  constructor(policy: Policy, options: PolicyOptions) {
    this.#policy = policy;
    this.#options = options;
  }

  table(from: number, to: number, bytes: number, damaged = false): TableMeta {
    const fileNumber = this.#nextFileNumber++;
    const [smallest, largest] = [keyOfNumber(from), keyOfNumber(to)];
    return {
      fileNumber,
      bytes,
      damaged,
      smallest,
      largest,
      suffixMin: smallest,
      suffixMax: largest,
      entryCount: Math.ceil(bytes),
      deletionCount: 0,
      rawBytes: bytes,
      seqMin: 1,
      seqMax: fileNumber,
    };
  }

  flush(from: number, to: number, bytes: number): void {
    this.flushedBytes += bytes;
    const table = this.table(from, to, bytes);
    this.version = this.version.apply([{ level: 0, table }], new Set());
  }

  /** One job of the policy; false when it has nothing to do. */
  step(): boolean {
    const choice = this.#policy(this.version, this.#last);
    this.#last = choice;
    if (choice.kind === 'nothing') return false;
    const inputs = inputsOf(choice);
    const written = choice.kind === 'merge' ? this.#merge(inputs) : [];
    if (choice.kind === 'merge') {
      this.jobs++;
      this.jobBytesMax = Math.max(this.jobBytesMax, sum(inputs));
      this.rewrittenBytes += sum(written);
    }
    const state = { ...EMPTY_STATE, version: this.version };
    this.version = applyEdit(state, editFor(choice, written)).version;
    assert.equal(this.version.checkInvariants(this.#options.borders), undefined);
    return true;
  }

  settle(): void {
    for (let steps = 0; this.step(); steps++) assert(steps < 100_000, 'the policy ends');
    this.runsMax = Math.max(this.runsMax, this.runs);
  }

  /** What a read may have to look at. */
  get runs(): number {
    const [level0, ...deeper] = this.version.levels;
    return (level0?.length ?? 0) + deeper.filter((tables) => tables.length > 0).length;
  }

  get writeAmplification(): number {
    return this.rewrittenBytes / this.flushedBytes;
  }

  /** Bytes lie as in the inputs, each piece of the key range with the sum of those that cover it. */
  #merge(inputs: readonly TableMeta[]): TableMeta[] {
    const { tableBytes, borders, live = (bytes) => bytes } = this.#options;
    const pieces = inputs.map((table) => {
      const [from, to] = [numberOf(table.smallest), numberOf(table.largest) + 1];
      return { from, to, density: table.bytes / (to - from) };
    });
    const cuts = new Set([
      ...pieces.flatMap(({ from, to }) => [from, to]),
      ...borders.map(numberOf),
    ]);
    const places = [...cuts].sort((a, b) => a - b);
    const borderPlaces = new Set(borders.map(numberOf));
    const tables: TableMeta[] = [];
    let open: { from: number; to: number; bytes: number } | undefined;
    const finish = () => {
      if (open !== undefined)
        tables.push(this.table(open.from, open.to - 1, Math.max(1, open.bytes)));
      open = undefined;
    };
    const active = new Set<(typeof pieces)[number]>();
    const starts = [...pieces].sort((a, b) => a.from - b.from);
    let started = 0;
    for (let i = 0; i + 1 < places.length; i++) {
      const [from, to] = [places[i] as number, places[i + 1] as number];
      if (borderPlaces.has(from)) finish();
      while (started < starts.length && (starts[started]?.from as number) <= from) {
        active.add(starts[started++] as (typeof pieces)[number]);
      }
      for (const piece of active) if (piece.to <= from) active.delete(piece);
      let density = 0;
      for (const piece of active) density += piece.density;
      if (density === 0) continue;
      density = live(density * (to - from), from, to) / (to - from);
      for (let at = from; at < to; ) {
        open ??= { from: at, to: at, bytes: 0 };
        const room = Math.max(1, Math.ceil((tableBytes - open.bytes) / density));
        const end = Math.min(to, at + room);
        open.bytes += (end - at) * density;
        open.to = end;
        at = end;
        if (open.bytes >= tableBytes) finish();
      }
    }
    finish();
    return tables;
  }
}

const sum = (tables: readonly TableMeta[]) =>
  tables.reduce((bytes, table) => bytes + table.bytes, 0);
