import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatTable } from '../clients/cli/table.ts';
import type { EngineSnapshot } from '../lsm/engine.ts';
import { Db, InlineOffload, OsVfs } from '../lsm/index.ts';
import { Retention } from '../node/retention/retention.ts';
import { pauseNowAndThen } from '../node/shard/current-values.ts';
import {
  engineKeyAt,
  isWholeSeriesKey,
  SERIES_SUFFIX_BYTES,
  Space,
  writeValueHeader,
} from '../node/shard/engine-key.ts';
import { gatherPage } from '../node/shard/gathered-page.ts';
import { readShard, type ShardView } from '../node/shard/shard-reader.ts';
import { describeMachine, type Machine } from './machine.ts';

/** What it costs that keys lie in 256 slots: the same list with the keys in fewer (DESIGN §3). */
export interface SlotsResult {
  readonly machine: Machine;
  readonly keys: number;
  readonly seconds: number;
  readonly lists: readonly SlotsList[];
}

export interface SlotsList {
  readonly slots: number;
  readonly limit: number;
  readonly pages: number;
  /** CPU time of the whole process: the clock would measure what else the machine does. */
  readonly cpuMicrosPerPage: number;
  readonly cpuMicrosPerKey: number;
  /** How often a cursor was moved, per page: what was read to give one page. */
  readonly movesPerPage: number;
}

const SLOTS_PER_SHARD = 4;
const VALUE_BYTES = 64;
const LIMITS = [100, 1_000];
const PREFIX = Buffer.from('bench');
const TIME = 1_000_000;

const usage = `Usage: npm run bench -- slots [--keys 100000] [--slots 1,16,64,256] [--seconds 2] [--data .dss] [--json]

Lists keys page by page from one engine, without a network or a log. The keys lie in so many slots, four to a
shard; a page asks each shard and merges, as a node does.`;

export async function slots(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string', default: '100000' },
      slots: { type: 'string', default: '1,16,64,256' },
      seconds: { type: 'string', default: '2' },
      data: { type: 'string', default: '.dss' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const keys = Number(values.keys);
  const seconds = Number(values.seconds);
  const lists: SlotsList[] = [];
  for (const slotCount of values.slots.split(',').map(Number)) {
    lists.push(...(await measureSlots(values.data, { keys, slotCount, seconds })));
  }
  const result = { machine: describeMachine(), keys, seconds, lists };
  process.stdout.write(`${values.json ? JSON.stringify(result, null, 2) : formatSlots(result)}\n`);
}

/** Fills an engine and lists it for `seconds` with each limit. */
export async function measureSlots(
  data: string,
  options: { keys: number; slotCount: number; seconds: number },
): Promise<SlotsList[]> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(`${data}/slots-`);
  const vfs = new OsVfs();
  const db = await Db.open({
    vfs,
    directory,
    offload: new InlineOffload(vfs),
    notePositions: () => new Uint8Array(0),
    seriesSuffixBytes: SERIES_SUFFIX_BYTES,
    isWholeSeriesKey,
  });
  try {
    await fill(db, options);
    const lists: SlotsList[] = [];
    for (const limit of LIMITS) lists.push(await measureList(db, { ...options, limit }));
    return lists;
  } finally {
    await db.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function fill(db: Db, { keys, slotCount }: { keys: number; slotCount: number }) {
  const value = new Uint8Array(1 + VALUE_BYTES);
  writeValueHeader(value, TIME, TIME, false);
  for (let index = 0; index < keys; index += 1) {
    const name = Buffer.from(`bench/${String(index).padStart(7, '0')}`);
    const key = engineKeyAt(slotOfIndex(index, slotCount), Space.userValues, name, TIME);
    db.put(key, 0, key.length, value, 0, value.length);
    await db.waitForRoom();
  }
  await db.flush();
}

/** Neighbouring keys lie in slots that have nothing to do with each other, as a hash would have it. */
function slotOfIndex(index: number, slotCount: number): number {
  return (Math.imul(index, 0x9e3779b1) >>> 0) % slotCount;
}

async function measureList(
  db: Db,
  options: { keys: number; slotCount: number; limit: number; seconds: number },
): Promise<SlotsList> {
  const { slotCount, limit, seconds } = options;
  const snapshot = db.snapshot();
  try {
    const counting = new CountingSnapshot(snapshot);
    const first = await readPage(counting, slotCount, limit, NOTHING);
    assert(first.items.length === Math.min(limit, options.keys), 'a page holds what it should');
    let after: Uint8Array = NOTHING;
    let pages = 0;
    let keys = 0;
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    while (performance.now() - startedMs < seconds * 1000) {
      const page = await readPage(snapshot, slotCount, limit, after);
      pages += 1;
      keys += page.items.length;
      after = page.more ? (page.items.at(-1)?.key ?? NOTHING) : NOTHING;
    }
    const cpu = process.cpuUsage(cpuBefore);
    const micros = cpu.user + cpu.system;
    return {
      slots: slotCount,
      limit,
      pages,
      cpuMicrosPerPage: micros / pages,
      cpuMicrosPerKey: micros / keys,
      movesPerPage: counting.moves,
    };
  } finally {
    snapshot.close();
  }
}

async function readPage(
  snapshot: EngineSnapshot,
  slotCount: number,
  limit: number,
  after: Uint8Array,
) {
  const list = { prefix: PREFIX, after, limit, values: false };
  const page = await gatherPage(Math.ceil(slotCount / SLOTS_PER_SHARD), list, (part, query) => {
    const firstSlot = part * SLOTS_PER_SHARD;
    const shard: ShardView = {
      firstSlot,
      slotCount: Math.min(SLOTS_PER_SHARD, slotCount - firstSlot),
      retention: Retention.initial,
      highestVersion: TIME,
      pause,
    };
    return readShard(snapshot, shard, { kind: 'list', ...query });
  });
  assert(page !== undefined, 'every part answers');
  return page;
}

const pause = pauseNowAndThen(() => new Promise((resolve) => setImmediate(resolve)));

class CountingSnapshot implements EngineSnapshot {
  readonly #snapshot: EngineSnapshot;
  moves = 0;

  constructor(snapshot: EngineSnapshot) {
    this.#snapshot = snapshot;
  }

  get(key: Uint8Array): ReturnType<EngineSnapshot['get']> {
    return this.#snapshot.get(key);
  }

  exportRange(
    ...range: Parameters<EngineSnapshot['exportRange']>
  ): ReturnType<EngineSnapshot['exportRange']> {
    return this.#snapshot.exportRange(...range);
  }

  first(prefix: Uint8Array): ReturnType<EngineSnapshot['first']> {
    return this.#snapshot.first(prefix);
  }

  cursor(bounds: Parameters<EngineSnapshot['cursor']>[0]): ReturnType<EngineSnapshot['cursor']> {
    const cursor = this.#snapshot.cursor(bounds);
    const seek = cursor.seek.bind(cursor);
    const next = cursor.next.bind(cursor);
    cursor.seek = (key) => {
      this.moves += 1;
      return seek(key);
    };
    cursor.next = () => {
      this.moves += 1;
      return next();
    };
    return cursor;
  }

  close(): void {
    this.#snapshot.close();
  }
}

function formatSlots({ machine, keys, lists }: SlotsResult): string {
  const columns = ['SLOTS', 'LIMIT', 'CPU µs/PAGE', '× FEWEST', 'CPU µs/KEY', 'MOVES/PAGE'];
  const rows = lists.map(
    ({ slots: count, limit, cpuMicrosPerPage, cpuMicrosPerKey, movesPerPage }) => {
      const fewest = lists.find((list) => list.limit === limit)?.cpuMicrosPerPage ?? Number.NaN;
      return [
        String(count),
        limit.toLocaleString('en'),
        Math.round(cpuMicrosPerPage).toLocaleString('en'),
        (cpuMicrosPerPage / fewest).toFixed(1),
        cpuMicrosPerKey.toFixed(1),
        movesPerPage.toLocaleString('en'),
      ];
    },
  );
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `${keys.toLocaleString('en')} keys of one prefix in tables, listed page by page; four slots to a shard`,
    '',
    formatTable(
      columns.map((title) => ({ title, right: true })),
      rows,
    ),
  ].join('\n');
}

const NOTHING = new Uint8Array(0);
