import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ChartData } from '../api/chart-data.ts';
import {
  type ChartLine,
  type ChartQuery,
  formatChartQuery,
  parseChartLine,
  parseChartQuery,
  RANGES,
  type RangeName,
} from '../model/chart-query.ts';
import { LiveMark } from '../parts/live.tsx';
import { Empty, Panel } from '../parts/panel.tsx';
import { go, route } from '../router.ts';
import { ChartPanel } from './chart-panel.tsx';
import { useFound } from './key-search.tsx';

/** What is drawn stands in the address: a link or a bookmark gives the same page. */
export function ChartsPage() {
  const query = parseChartQuery(route.value.query);
  const address = formatChartQuery(query).toString();
  // The query is a new object each time; its address is not.
  const data = useMemo(() => {
    const { lines, range } = parseChartQuery(new URLSearchParams(address));
    return new ChartData(lines, RANGES[range]);
  }, [address]);
  useEffect(() => () => data.close(), [data]);
  const show = (changed: Partial<ChartQuery>): void =>
    go('charts', undefined, formatChartQuery({ ...query, ...changed }));
  const replace = (old: ChartLine, line: ChartLine): void =>
    show({ lines: query.lines.map((known) => (known === old ? line : known)) });

  return (
    <>
      <section class="panel chart-tools" aria-label="What is drawn">
        <LinePicker onPick={(line) => show({ lines: [...query.lines, line] })} />
        <fieldset class="ranges">
          <legend class="unseen">Range of time</legend>
          {(Object.keys(RANGES) as RangeName[]).map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={name === query.range}
              onClick={() => show({ range: name })}
            >
              {name}
            </button>
          ))}
        </fieldset>
        {query.lines.length > 0 && <LiveMark state={data.watch.value} />}
      </section>
      {query.lines.length === 0 ? (
        <Panel title="Charts">
          <Empty>Add a key whose value is a number, or JSON with numbers in it.</Empty>
        </Panel>
      ) : (
        <div class="charts">
          {data.lines.map((line, at) => (
            <ChartPanel
              key={line.line.text}
              data={line}
              colour={`var(--node-${(at % 8) + 1})`}
              rangeMs={RANGES[query.range]}
              onChange={(next) => {
                const old = query.lines[at];
                if (old !== undefined) replace(old, next);
              }}
              onRemove={() => show({ lines: query.lines.filter((_, other) => other !== at) })}
            />
          ))}
        </div>
      )}
    </>
  );
}

const OFFERED_MAX = 20;

function LinePicker({ onPick }: { readonly onPick: (line: ChartLine) => void }) {
  const text = useSignal('');
  const found = useFound(text.value, OFFERED_MAX).value;
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const line = parseChartLine(text.peek());
    if (line === undefined) return;
    text.value = '';
    onPick(line);
  };
  return (
    <form class="line-picker" onSubmit={add}>
      <input
        aria-label="Key to draw"
        placeholder="Key, or key#path.in.json"
        list="offered-keys"
        value={text.value}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      <datalist id="offered-keys">
        {found?.keys.map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      <button type="submit" class="primary">
        Add
      </button>
    </form>
  );
}
