import { formatBytes, formatTable } from '../../clients/cli/table.ts';
import type { LoopResult } from './closed-loop.ts';
import type { KeyCountReads } from './full-reads.ts';
import type { LongHistory } from './long-history.ts';
import type { PartMemory } from './node-memory.ts';
import type { FullRead } from './page-reader.ts';
import type { VerbRate, VerbRates } from './verb-rates.ts';
import type { VerbsResult } from './verbs.ts';

const right = (title: string) => ({ title, right: true });

export function formatVerbs(result: VerbsResult): string {
  const { machine, options, rates, reads, history, memory, loadAverageBefore } = result;
  const parts = [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `Load average before: ${loadAverageBefore.toFixed(2)}. Three nodes; everything here shares the machine.`,
  ];
  if (rates) parts.push(...formatRates(rates, options.seconds));
  if (reads) parts.push(...reads.flatMap(formatReads));
  if (history) parts.push(...formatHistory(history));
  parts.push('', formatMemory(memory));
  return parts.join('\n');
}

function formatRates({ top, loadPerSecond, verbs }: VerbRates, seconds: number): string[] {
  const columns = [
    { title: 'VERB' },
    right('IN FLIGHT'),
    right('PER S'),
    right('P50 MS'),
    right('P99 MS'),
    right('× OTHER'),
    right('DURING INGEST'),
    right('P50 MS'),
    right('P99 MS'),
    right('× ALONE'),
    right('INGEST'),
    right('P50 MS'),
    right('P99 MS'),
  ];
  return [
    '',
    `Verbs: one connection to one node, ${seconds} s each, alone and during ingest at ${count(loadPerSecond)} messages/s,`,
    `half of the ${count(top.perSecond)} that it reaches alone (p99 ${top.p99Ms.toFixed(1)} ms). INGEST is the part of that pace it kept.`,
    '',
    formatTable(
      columns,
      verbs.map((verb) => rateRow(verb, verbs, loadPerSecond)),
    ),
    '',
    '× OTHER: get eventual, get at, history and list by get strong; range by list; the rest by put, with as many in',
    'flight; of a batch its readings count.',
  ];
}

function rateRow(rate: VerbRate, all: readonly VerbRate[], loadPerSecond: number): string[] {
  const { verb, inflight, alone, loaded, load, readings } = rate;
  const other = all.find((each) => each.verb === rate.against && each.inflight === inflight);
  const itemsPerSecond = alone.perSecond * (readings ?? 1);
  return [
    readings === null ? verb : `${verb} of ${readings}`,
    String(inflight),
    count(alone.perSecond),
    alone.p50Ms.toFixed(2),
    alone.p99Ms.toFixed(2),
    other ? (itemsPerSecond / other.alone.perSecond).toFixed(2) : '',
    count(loaded.perSecond),
    loaded.p50Ms.toFixed(2),
    loaded.p99Ms.toFixed(2),
    (loaded.perSecond / alone.perSecond).toFixed(2),
    percent(load.perSecond / loadPerSecond),
    load.p50Ms.toFixed(1),
    load.p99Ms.toFixed(1),
  ];
}

function formatReads(reads: KeyCountReads): string[] {
  const { keys, written, writeSeconds, passes, smallReads } = reads;
  const { get, small, big } = smallReads;
  const per = (result: LoopResult) =>
    `p50 ${result.p50Ms.toFixed(2)} ms (${(result.p50Ms / get.p50Ms).toFixed(1)} × get)`;
  return [
    '',
    `${count(keys)} keys; ${count(written / writeSeconds)} a second were written, in batches of 1,000.`,
    '',
    formatPasses(passes),
    '',
    `get: p50 ${get.p50Ms.toFixed(2)} ms. list of a prefix with 100 keys: ${per(small)}. list of 100 out of ${count(keys)}: ${per(big)}.`,
  ];
}

function formatHistory(history: LongHistory): string[] {
  const { readings, writeSeconds, passes, getNewest, getAtMiddle } = history;
  const ratio = getAtMiddle.p50Ms / getNewest.p50Ms;
  return [
    '',
    `One key with ${count(readings)} readings; ${count(readings / writeSeconds)} a second were written, in batches of 1,000.`,
    '',
    formatPasses(passes),
    '',
    `get: p50 ${getNewest.p50Ms.toFixed(2)}, p99 ${getNewest.p99Ms.toFixed(2)} ms. get at a time in the middle: ` +
      `p50 ${getAtMiddle.p50Ms.toFixed(2)} (${ratio.toFixed(1)} × get), p99 ${getAtMiddle.p99Ms.toFixed(2)} ms.`,
  ];
}

function formatPasses(passes: readonly FullRead[]): string {
  const columns = [
    { title: 'READ' },
    right('OF ALL'),
    right('SECONDS'),
    right('ITEMS/S'),
    right('FIRST MS'),
    right('PAGES'),
    right('P50 MS'),
    right('MAX MS'),
  ];
  const rows = passes.map(({ what, read, items, seconds, perSecond, firstMs, pages }) => [
    what,
    percent(read / items),
    seconds.toFixed(2),
    count(perSecond),
    firstMs.toFixed(1),
    pages ? count(pages.count) : '',
    pages ? pages.p50Ms.toFixed(1) : '',
    pages ? pages.maxMs.toFixed(1) : '',
  ]);
  return formatTable(columns, rows);
}

function formatMemory(parts: readonly PartMemory[]): string {
  const names = parts[0]?.nodes.map(({ name }) => name) ?? [];
  const columns = [
    { title: 'RESIDENT MEMORY' },
    ...names.flatMap((name) => [right(`${name} AFTER`), right('PEAK')]),
  ];
  const rows = parts.map(({ part, nodes }) => [
    part,
    ...nodes.flatMap(({ residentBytes, peakBytes }) => [residentBytes, peakBytes].map(formatBytes)),
  ]);
  return formatTable(columns, rows);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
