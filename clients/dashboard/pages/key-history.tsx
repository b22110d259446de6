import { nowMs } from '../api/cluster.ts';
import type { KeyState } from '../api/key-state.ts';
import type { Stored } from '../api/keys.ts';
import { clock, plural, UNKNOWN } from '../model/format.ts';
import { type JsonPath, likelyPath, numberAt, parseJsonPath } from '../model/json-path.ts';
import { brief } from '../model/value.ts';
import { Empty, Panel, Scroller } from '../parts/panel.tsx';
import { Sparkline } from '../parts/sparkline.tsx';

/** So many points fill the small line. */
const POINTS_MAX = 120;

/** What a key has held, newest first. */
export function KeyHistory({ state }: { readonly state: KeyState }) {
  const items = state.history.value;
  const { isMore, problem } = state.rest.value;
  const newest = items.find(({ value }) => value !== undefined)?.value;
  const path = newest?.kind === 'json' ? likelyPath(newest.json) : '';
  const numbers = numbersOf(items, parseJsonPath(path) ?? []);
  return (
    <Panel
      title="History"
      note={`${plural(items.length, 'value')}${isMore ? ' so far' : ''}`}
      class="flush key-history"
    >
      {numbers.length > 1 && (
        <div class="trend">
          {path !== '' && <code class="quiet">{path}</code>}
          <Sparkline
            values={numbers}
            width={600}
            height={48}
            lengthMax={Math.min(POINTS_MAX, numbers.length)}
            isFromZero={false}
          />
        </div>
      )}
      {items.length === 0 ? (
        <Empty>{problem ?? 'Nothing is kept of what it was.'}</Empty>
      ) : (
        <Scroller label="History">
          <table class="history">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Value</th>
                <th scope="col" class="number">
                  Version
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <HistoryLine key={`${item.version} ${item.atMs}`} item={item} />
              ))}
            </tbody>
          </table>
        </Scroller>
      )}
      {problem !== undefined && items.length > 0 && <p class="problem">{problem}</p>}
      {isMore && (
        <div class="buttons">
          <button type="button" onClick={() => void state.loadOlder()}>
            Older
          </button>
        </div>
      )}
    </Panel>
  );
}

function HistoryLine({ item }: { readonly item: Stored }) {
  const { atMs, value, version } = item;
  return (
    <tr>
      <td class="figure">{clock(atMs, nowMs.value)}</td>
      <td class="sentence">
        {value === undefined ? <em class="quiet">deleted</em> : <code>{brief(value)}</code>}
      </td>
      <td class="number quiet">{version ?? UNKNOWN}</td>
    </tr>
  );
}

/** Oldest first, as a line goes. */
function numbersOf(items: readonly Stored[], path: JsonPath): number[] {
  return items
    .slice(0, POINTS_MAX)
    .flatMap(({ value }) => {
      if (value?.kind === 'number') return value.number;
      return value?.kind === 'json' ? (numberAt(value.json, path) ?? []) : [];
    })
    .reverse();
}
