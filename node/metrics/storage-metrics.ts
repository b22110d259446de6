import type { MetricFacts } from './facts.ts';
import { counter, each, gauge, type MetricFamily } from './metric.ts';

const levels = ({ member }: MetricFacts) =>
  (member?.engine.filesPerLevel ?? []).map((files, level) => ({
    ...{ level, files, bytes: member?.engine.bytesPerLevel[level] ?? 0 },
  }));

/** Log, tables, and the room that they have. */
export const STORAGE_METRICS: MetricFamily = {
  title: 'Log, tables and disk',
  metrics: [
    counter(
      'dss_log_rounds_total',
      'Rounds written to the log; each holds what all groups had to write at the time.',
      ({ member }) => member?.log.rounds,
    ),
    counter(
      'dss_log_syncs_total',
      'Times that the log was made durable (fsync).',
      ({ member }) => member?.log.syncs,
    ),
    counter(
      'dss_log_written_bytes_total',
      'Bytes written to the log.',
      ({ member }) => member?.log.bytesWritten,
    ),
    gauge(
      'dss_log_staged_bytes',
      'Entries that wait for the next round.',
      ({ member }) => member?.log.stagedBytes,
    ),
    gauge('dss_log_segments', 'Files of the log.', ({ member }) => member?.log.segments),
    gauge('dss_log_bytes', 'What the log takes on disk.', ({ member }) => member?.log.bytesOnDisk),
    gauge(
      'dss_engine_memtable_bytes',
      'Values in memory that are in no table yet.',
      ({ member }) => member?.engine.memtableBytes,
    ),
    gauge(
      'dss_engine_frozen_memtables',
      'Full memtables that wait to be written to tables.',
      ({ member }) => member?.engine.frozenMemtables,
    ),
    each(
      'gauge',
      'dss_engine_tables',
      'Tables on each level.',
      levels,
      { level: ({ level }) => level },
      ({ files }) => files,
    ),
    each(
      'gauge',
      'dss_engine_table_bytes',
      'Bytes of the tables on each level.',
      levels,
      { level: ({ level }) => level },
      ({ bytes }) => bytes,
    ),
    counter(
      'dss_engine_flushed_bytes_total',
      'Bytes written to tables from memory.',
      ({ member }) => member?.engine.flushedBytes,
    ),
    counter(
      'dss_engine_compacted_bytes_total',
      'Bytes written to tables by compactions.',
      ({ member }) => member?.engine.compactedBytes,
    ),
    counter(
      'dss_engine_dropped_entries_total',
      'Entries that compactions let go because nobody may see them any more.',
      ({ member }) => member?.engine.droppedEntries,
    ),
    counter(
      'dss_engine_stalls_total',
      'How often writers were made to wait until there was room in memory.',
      ({ member }) => member?.engine.stalls,
    ),
    gauge(
      'dss_engine_block_cache_bytes',
      'What the cache of blocks takes.',
      ({ member }) => member?.engine.blockCacheBytes,
    ),
    counter(
      'dss_engine_block_cache_hits_total',
      'Blocks that were found in the cache.',
      ({ member }) => member?.engine.blockCacheHits,
    ),
    counter(
      'dss_engine_block_cache_misses_total',
      'Blocks that had to be read from a table.',
      ({ member }) => member?.engine.blockCacheMisses,
    ),
    counter(
      'dss_engine_filter_checks_total',
      "How often a table's Bloom filter was asked whether it has a key.",
      ({ member }) => member?.engine.filterChecks,
    ),
    counter(
      'dss_engine_filter_skips_total',
      'Of them, those that spared a look into the table.',
      ({ member }) => member?.engine.filterSkips,
    ),
    gauge(
      'dss_storage_used_bytes',
      'What log and tables take on disk.',
      ({ member }) => member?.storage.usedBytes,
    ),
    gauge(
      'dss_storage_max_bytes',
      'The budget for log and tables; 0: there is none.',
      ({ member }) => member?.storage.maxBytes,
    ),
    gauge(
      'dss_storage_full',
      'Whether the budget is used up, so that puts are refused.',
      ({ member }) => member?.storage.isFull,
    ),
    gauge(
      'dss_disk_used_bytes',
      'What is used of the disk that holds the data directory, by whomever.',
      ({ member }) => member?.disk.usedBytes,
    ),
    gauge(
      'dss_disk_size_bytes',
      'Size of the disk that holds the data directory.',
      ({ member }) => member?.disk.totalBytes,
    ),
  ],
};
