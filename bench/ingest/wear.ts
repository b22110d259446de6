import { type Contender, closeAll, startContenders, startOurs } from './contenders.ts';
import { inDirectory, onProgress, type PartOptions } from './part.ts';
import { HEADLINE, type Scenario } from './scenarios.ts';
import { runTurn, type Turn } from './turn.ts';
import { readWritten, type WrittenBytes, writtenSince } from './written-bytes.ts';

export interface WearResult {
  readonly memtableBytes: number;
  readonly rows: readonly WearRow[];
}

export interface WearRow {
  readonly name: string;
  /** Null: as many as it takes. */
  readonly perSecond: number | null;
  /** That hold every reading. */
  readonly copies: number;
  readonly turn: Turn;
  readonly written: WrittenBytes;
}

/** A sixteenth of the default, so that a short run has as many flushes and merges as a long one. */
const MEMTABLE_BYTES = 1024 * 1024;
const WAITS_MS = [0, 10, 50];
/** It takes longer than an ordinary turn until something is merged. */
const WEAR_TURNS = 3;

interface Case {
  readonly name: string;
  readonly copies: number;
  start(directory: string): Promise<Contender | undefined>;
}

/** What flash wears out by: everything that is written for the readings of a while, until it has come to rest. */
export async function measureWear(
  options: PartOptions & { readonly wearPerSecond: number },
): Promise<WearResult> {
  const rows: WearRow[] = [];
  for (const each of casesOf(options)) {
    for (const perSecond of [options.wearPerSecond, null]) {
      onProgress(`wear: ${each.name}, ${perSecond ?? 'as many as it takes'} a second`);
      const row = await measureCase(each, perSecond, options);
      if (row !== undefined) rows.push(row);
    }
  }
  return { memtableBytes: MEMTABLE_BYTES, rows };
}

function casesOf({ contenders }: PartOptions): Case[] {
  const ours = (name: string, scenario: Scenario, maxWaitMs: number): Case => ({
    name,
    copies: scenario.replicationFactor,
    start: (directory) => {
      const settings = { memtableBytes: MEMTABLE_BYTES, rounds: { maxWaitMs } };
      return startOurs(directory, scenario, { name, settings });
    },
  });
  const persistent: Case = {
    name: 'mosquitto-persistent',
    copies: 1,
    start: async (directory) => {
      const [broker] = await startContenders(['mosquitto-persistent'], directory, HEADLINE);
      return broker;
    },
  };
  return [
    ...WAITS_MS.map((waitMs) =>
      ours(waitMs === 0 ? 'dss' : `dss, rounds.maxWaitMs ${waitMs}`, HEADLINE, waitMs),
    ),
    ours('dss, classic-level', { ...HEADLINE, engine: 'classic-level' }, 0),
    ...(contenders.includes('mosquitto-persistent') ? [persistent] : []),
  ];
}

function measureCase(
  { name, copies, start }: Case,
  perSecond: number | null,
  { data, times }: PartOptions,
): Promise<WearRow | undefined> {
  return inDirectory(data, async (directory) => {
    const contender = await start(directory);
    if (contender === undefined) return undefined;
    try {
      const before = await readWritten(contender, directory);
      const load = { seconds: WEAR_TURNS * times.seconds, warmupSeconds: 0 };
      const turn = await runTurn(contender, HEADLINE, {
        ...load,
        ...(perSecond === null ? {} : { perSecond }),
      });
      const written = writtenSince(before, await readWritten(contender, directory));
      return { name, perSecond, copies, turn, written };
    } finally {
      await closeAll([contender]);
    }
  });
}
