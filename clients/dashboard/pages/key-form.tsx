import { useSignal } from '@preact/signals';
import { putKey } from '../api/keys.ts';

interface KeyFormProps {
  /** Undefined: a key that is to be named. */
  readonly name?: string;
  readonly text?: string;
  /** What the key has, null for nothing: it is not stored over what somebody else stored meanwhile. */
  readonly version?: number | null | undefined;
  readonly onDone: (key: string) => void;
  readonly onCancel: () => void;
}

/** Stores a value. */
export function KeyForm({ name, text = '', version = null, onDone, onCancel }: KeyFormProps) {
  const problem = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);
  const store = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const key = name ?? String(data.get('key'));
    const ttl = String(data.get('ttl')).trim();
    const options = { ifVersion: version ?? null, ...(ttl === '' ? {} : { ttl }) };
    isBusy.value = true;
    const answer = await putKey(key, String(data.get('value')), options);
    isBusy.value = false;
    if (answer.kind === 'ok') onDone(key);
    else if (answer.kind === 'refused' && answer.status === 412) problem.value = lostText(name);
    else problem.value = answer.detail;
  };
  return (
    <form class="key-form" onSubmit={(event) => void store(event)}>
      {name === undefined && (
        <label>
          Key
          <input
            name="key"
            required
            autocomplete="off"
            spellcheck={false}
            placeholder="plant1/line3/dev42/temp"
          />
        </label>
      )}
      <label>
        Value
        <textarea name="value" rows={5} required spellcheck={false} defaultValue={text} />
      </label>
      <label class="short">
        Expires after <span class="quiet">(seconds; empty: never)</span>
        <input name="ttl" inputMode="numeric" autocomplete="off" />
      </label>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={isBusy.value}>
          {isBusy.value ? 'Storing…' : 'Store'}
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function lostText(name: string | undefined): string {
  return name === undefined
    ? 'There is such a key already, and it has a value.'
    : 'Somebody has stored another value meanwhile, so this one was not stored. Cancel to see it.';
}
