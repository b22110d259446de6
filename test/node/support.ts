import { Db } from '../../lsm/db.ts';
import { crc32c } from '../../lsm/hash/crc32c.ts';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { Entry } from '../../node/raft/types.ts';
import { EntryKind } from '../../node/raft/types.ts';
import { Retention } from '../../node/retention/retention.ts';
import { EMPTY_SETTINGS } from '../../node/settings/settings.ts';
import type { WriteObserver } from '../../node/shard/apply-writes.ts';
import { SERIES_SUFFIX_BYTES } from '../../node/shard/engine-key.ts';
import { encodeWriteEntry, type ForwardedBatch } from '../../node/shard/entry.ts';
import { StateMachine } from '../../node/shard/state-machine.ts';
import { Streams } from '../../node/shard/streams.ts';
import { needsOf, WriteBatchBuilder } from '../../node/shard/write-batch.ts';
import { scan } from '../support/scan.ts';
import { hex, text, utf8 } from '../support/text.ts';

export { hex, text, utf8 };

const NODE_A = 'aaaaaaaaaaaaaaaa';

export async function openEngine(): Promise<Db> {
  const vfs = new CrashableMemVfs();
  return Db.open({
    vfs,
    directory: '/tables',
    offload: new InlineOffload(vfs),
    notePositions: () => new Uint8Array(0),
    seriesSuffixBytes: SERIES_SUFFIX_BYTES,
    onEvent: () => {},
  });
}

/** A state machine for these slots, with nothing applied. */
export function stateMachine(engine: Db, firstSlot = 0, slotCount = 256): StateMachine {
  return new StateMachine({
    engine,
    firstSlot,
    slotCount,
    appliedIndex: 0,
    appliedTerm: 0,
    highestVersion: 0,
    streams: new Streams(),
    retention: Retention.initial,
    settings: EMPTY_SETTINGS,
  });
}

export const noPause = () => undefined;

/** What a reader must know of it. */
export function viewOf({ retention, highestVersion }: StateMachine) {
  return { firstSlot: 0, slotCount: 256, retention, highestVersion, pause: noPause };
}

/** Puts of texts, with an event time or without; an empty one deletes. */
export function batchOf(
  puts: readonly (readonly [key: string, value: string, time?: number])[],
  origin: { readonly node?: string; readonly startCounter?: number; readonly number: number },
): ForwardedBatch {
  const builder = new WriteBatchBuilder();
  for (const [key, value, time = 0] of puts) {
    const bytes = utf8(key + value);
    const keyEnd = utf8(key).length;
    builder.add(bytes, 0, keyEnd, keyEnd, bytes.length, time);
  }
  const bytes = builder.take();
  const { node = NODE_A, startCounter = 1, number } = origin;
  return { node, startCounter, number, count: puts.length, crc: crc32c(bytes), bytes };
}

export function writeEntry(index: number, batch: ForwardedBatch, baseVersion: number): Entry {
  const needs = needsOf(batch.bytes, 0, batch.bytes.length, batch.count) ?? 0;
  const data = encodeWriteEntry([{ batch, baseVersion, needs }]);
  return { term: 1, index, kind: EntryKind.write, data };
}

export const NOBODY_WATCHES: WriteObserver = {
  wantsWrites: false,
  wantsReservedWrites: false,
  written: () => {
    throw new Error('nobody watches');
  },
};

/** Everything an engine holds, as text. */
export async function contentOf(engine: Db): Promise<string[]> {
  const snapshot = engine.snapshot();
  const entries = await scan(snapshot);
  snapshot.close();
  return entries.map(({ key, value }) => `${hex(key)}=${hex(value)}`);
}
