import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LineData } from '../api/chart-data.ts';
import { nowMs } from '../api/cluster.ts';
import { type ChartLine, parseChartLine } from '../model/chart-query.ts';
import { clock, UNKNOWN } from '../model/format.ts';
import { formatRoute } from '../model/route.ts';
import type { PlotProps } from '../parts/plot.tsx';

interface ChartPanelProps {
  readonly data: LineData;
  readonly colour: string;
  readonly rangeMs: number;
  readonly onChange: (line: ChartLine) => void;
  readonly onRemove: () => void;
}

/** One line, with its newest number, or the one under the pointer. */
export function ChartPanel({ data, colour, rangeMs, onChange, onRemove }: ChartPanelProps) {
  const { line, points, note, paths, path } = data;
  const pointed = useSignal<number | undefined>(undefined);
  const Plot = usePlot();
  void data.revision.value;
  const { numbers, timesMs } = points;
  const under = pointed.value === undefined ? -1 : timesMs.indexOf(pointed.value);
  const at = under === -1 ? timesMs.length - 1 : under;
  const newestMs = timesMs.at(-1);
  const isPast = newestMs !== undefined && newestMs < nowMs.value - rangeMs;
  const shownNote = isPast ? 'Nothing new in this range: the value shown is older.' : note.value;
  return (
    <section class="panel chart" aria-label={`Chart of ${line.text}`}>
      <header>
        <h2>
          <span class="swatch" style={{ background: colour }} />
          <a href={formatRoute('keys', line.key)}>{line.key}</a>
        </h2>
        {(paths.value.length > 0 || line.path !== '') && (
          <PathChoice line={line} path={path.value} paths={paths.value} onChange={onChange} />
        )}
        <p class="reading">
          <span class="quiet figure">{clock(timesMs[at], nowMs.value)}</span>
          <strong class="figure">
            {numbers[at] === undefined ? UNKNOWN : shortNumber(numbers[at])}
          </strong>
        </p>
        <button
          type="button"
          class="icon-button"
          aria-label={`Remove ${line.text}`}
          onClick={onRemove}
        >
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
            <path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" stroke-width="1.5" />
          </svg>
        </button>
      </header>
      <div class="plot-box">
        {Plot !== undefined && (
          <Plot
            points={points}
            revision={data.revision}
            colour={colour}
            rangeMs={rangeMs}
            label={describe(data)}
            onPoint={(atMs) => {
              pointed.value = atMs;
            }}
          />
        )}
      </div>
      {shownNote !== undefined && <p class="chart-note">{shownNote}</p>}
    </section>
  );
}

interface PathChoiceProps {
  readonly line: ChartLine;
  readonly path: string;
  readonly paths: readonly string[];
  readonly onChange: (line: ChartLine) => void;
}

function PathChoice({ line, path, paths, onChange }: PathChoiceProps) {
  const offered = paths.includes(path) ? paths : [path, ...paths];
  return (
    <select
      aria-label={`What of ${line.key} is drawn`}
      value={path}
      onChange={(event) => {
        const next = parseChartLine(`${line.key}#${event.currentTarget.value}`);
        if (next !== undefined) onChange(next);
      }}
    >
      {offered.map((name) => (
        <option key={name} value={name}>
          {name === '' ? 'no number in it' : name}
        </option>
      ))}
    </select>
  );
}

/** For those who do not see it. */
function describe({ line, points: { numbers } }: LineData): string {
  if (numbers.length === 0) return `${line.text}: no values`;
  const newest = numbers.at(-1) as number;
  const [low, high] = [
    numbers.reduce((a, b) => Math.min(a, b)),
    numbers.reduce((a, b) => Math.max(a, b)),
  ];
  const range = `between ${shortNumber(low)} and ${shortNumber(high)}`;
  return `${line.text}: ${numbers.length} values ${range}, now ${shortNumber(newest)}`;
}

function shortNumber(number: number): string {
  return Number(number.toPrecision(6)).toString();
}

type PlotComponent = (props: PlotProps) => preact.JSX.Element;
let plot: PlotComponent | undefined;

/** What draws comes when the first chart does: the other pages do without it. */
function usePlot(): PlotComponent | undefined {
  const isHere = useSignal(plot !== undefined);
  useEffect(() => {
    if (plot !== undefined) return;
    void import('../parts/plot.tsx').then((module) => {
      plot = module.Plot;
      isHere.value = true;
    });
  }, [isHere]);
  return isHere.value ? plot : undefined;
}
