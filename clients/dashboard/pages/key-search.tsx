import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { listKeys } from '../api/keys.ts';
import { plural } from '../model/format.ts';
import { rangeOfSearch } from '../model/key-level.ts';
import { formatRoute } from '../model/route.ts';
import { Empty } from '../parts/panel.tsx';

const PAUSE_MS = 200;
const KEYS_MAX = 200;

interface Found {
  readonly text: string;
  readonly keys: readonly string[];
  readonly more: boolean;
  readonly problem: string | undefined;
}

interface KeySearchProps {
  readonly text: string;
  readonly chosen: string | undefined;
}

/** Whole keys that begin with what was typed. */
export function KeySearch({ text, chosen }: KeySearchProps) {
  const found = useFound(text).value;
  if (found === undefined) return <Empty>Looking…</Empty>;
  if (found.problem !== undefined) return <Empty>{found.problem}</Empty>;
  const { keys, more } = found;
  return (
    <div class="found">
      <p class="tally" role="status">
        {more ? `The first ${keys.length} keys` : plural(keys.length, 'key')}
      </p>
      <ul>
        {keys.map((key) => (
          <li key={key}>
            <a href={formatRoute('keys', key)} aria-current={key === chosen ? 'true' : undefined}>
              <b>{key.slice(0, found.text.length)}</b>
              {key.slice(found.text.length)}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Undefined until something has been looked for. */
export function useFound(text: string, keysMax = KEYS_MAX) {
  const found = useSignal<Found | undefined>(undefined);
  useEffect(() => {
    let isOver = false;
    const timer = setTimeout(async () => {
      const answer = await listKeys({ ...rangeOfSearch(text), limit: keysMax });
      if (isOver) return;
      found.value =
        answer.kind === 'ok'
          ? { text, ...answer.body, problem: undefined }
          : { text, keys: [], more: false, problem: answer.detail };
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text, keysMax, found]);
  return found;
}
