import type { EngineBenchResult } from './engine.ts';
import type { EngineResult, SizeResult } from './rounds.ts';
import { isRate, ROWS, type Row, type RowId } from './rows.ts';

/** What our engine is to be in every row of time, compared with the engine that a node could have used. */
const AIM = { 'classic-level': 2 };

export function formatEngine(result: EngineBenchResult, rows: readonly RowId[]): string {
  const { machine, loadAverageBefore, cacheMib, directory, sizes } = result;
  return [
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}; databases in ${directory}`,
    `Load average before: ${loadAverageBefore.toFixed(2)}. Block cache of ${cacheMib} MiB each; everything fits into the page cache, and nothing is read from a cold disk.`,
    ...sizes.flatMap((size) => ['', ...formatSize(size, rows)]),
    '',
    ...(sizes[0]?.engines ?? [])
      .filter(({ settings }) => settings !== '')
      .map(({ name, version, settings }) => `- ${name} ${version}: ${settings}.`),
    '- Write amplification: what was given to write calls from the empty database until it had come to rest, by the bytes of all keys and values.',
    "- Peak memory: VmHWM of the process until everything was read, with Node and the bench's own 100,000 readings.",
  ].join('\n');
}

function formatSize(size: SizeResult, rows: readonly RowId[]): string[] {
  const shown = ROWS.filter(({ id }) => rows.includes(id)).filter(({ id }) =>
    size.engines.some((engine) => spreadOf(engine, id) !== undefined),
  );
  const [ours, ...others] = size.engines;
  if (!ours) return [];
  const compared = ours.name === 'dss' ? others : [];
  const header = ['', 'unit', ...size.engines.flatMap(({ name }, i) => [name, ...ratioTitle(i)])];
  function ratioTitle(index: number): string[] {
    return index > 0 && compared.length > 0 ? ['ours'] : [];
  }
  const table = shown.map((row) => [
    row.title,
    row.unit,
    ...size.engines.flatMap((engine) => {
      const cell = formatSpread(spreadOf(engine, row.id));
      return compared.includes(engine) ? [cell, formatRatio(ratioOf(row, ours, engine))] : [cell];
    }),
  ]);
  return [
    `### ${size.readings.toLocaleString('en')} readings, ${size.rounds} ${size.rounds === 1 ? 'round' : 'rounds'}`,
    '',
    'Median (least – greatest). Rates are thousands of entries per second. "ours" is how many times as good ours is as the one before.',
    '',
    ...formatMarkdown(header, table),
    '',
    ...size.engines.flatMap(({ name, failure }) => (failure ? [`${name}: ${failure}`] : [])),
    ...compared.flatMap((engine) => formatVerdict(shown, ours, engine)),
  ];
}

/** Names what is not as good as it is to be. */
function formatVerdict(rows: readonly Row[], ours: EngineResult, other: EngineResult): string[] {
  if (other.rounds.length === 0 || ours.rounds.length === 0) return [];
  const aim = AIM[other.name as keyof typeof AIM] ?? 1;
  const behind = (of: Row['of'], least: number): string[] =>
    rows.flatMap((row) => {
      const ratio = row.of === of ? ratioOf(row, ours, other) : undefined;
      return ratio !== undefined && ratio < least ? [`${row.title} ${formatRatio(ratio)}`] : [];
    });
  const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none');
  return [
    `Rows of time below ${aim} × ${other.name}: ${list(behind('time', aim))}. ` +
      `Other rows below 1 × ${other.name}: ${list(behind('space', 1))}.`,
  ];
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** Undefined when no round has a figure for it. */
export function spreadOf(engine: EngineResult, row: RowId): Spread | undefined {
  const values = engine.rounds
    .map((figures) => figures[row])
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  if (values.length === 0) return undefined;
  const middle = values.length / 2;
  const upper = values[Math.floor(middle)] as number;
  const lower = values[Math.ceil(middle) - 1] as number;
  return {
    median: (upper + lower) / 2,
    least: values[0] as number,
    greatest: values.at(-1) as number,
  };
}

/** How many times as good ours is: 2 is twice as fast, or half as much. */
export function ratioOf(row: Row, ours: EngineResult, other: EngineResult): number | undefined {
  const our = spreadOf(ours, row.id)?.median;
  const their = spreadOf(other, row.id)?.median;
  if (our === undefined || their === undefined) return undefined;
  return isRate(row) ? our / their : their / our;
}

function formatSpread(spread: Spread | undefined): string {
  if (!spread) return '–';
  const { median, least, greatest } = spread;
  return `${significant(median)} (${significant(least)} – ${significant(greatest)})`;
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`;
}

/** Three digits are all that a measurement is good for. */
function significant(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
}

/** A table that reads well in a terminal too. */
function formatMarkdown(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(header), line(rule), ...rows.map(line)];
}
