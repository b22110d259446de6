import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { nowMs } from '../api/cluster.ts';
import { type KeyState, useKey } from '../api/key-state.ts';
import { reloadTree } from '../api/key-tree.ts';
import { deleteKey, type Stored } from '../api/keys.ts';
import { bytes, clock, count, duration, UNKNOWN } from '../model/format.ts';
import { numberPaths } from '../model/json-path.ts';
import { formatRoute } from '../model/route.ts';
import type { Value } from '../model/value.ts';
import { LiveMark } from '../parts/live.tsx';
import { Panel } from '../parts/panel.tsx';
import { ValueView } from '../parts/value-view.tsx';
import { KeyForm } from './key-form.tsx';
import { KeyHistory } from './key-history.tsx';
import { KeyPlace } from './key-place.tsx';

/** One key: what it has now, as it changes, and what it had. */
export function KeyDetail({ name }: { readonly name: string }) {
  const key = useKey(name);
  /** What was there when somebody began to change it: what comes meanwhile is not to be written over. */
  const edited = useSignal<Stored | undefined>(undefined);
  const close = (): void => {
    edited.value = undefined;
  };
  const current = key.current.value;
  const base = edited.value;
  return (
    <>
      <Panel title={name} note={<LiveMark state={key.watch.value} />} class="key-now">
        {current === undefined ? (
          <p class="empty">{key.problem.value ?? 'Reading…'}</p>
        ) : (
          <>
            <CurrentValue current={current} />
            <Facts state={key} current={current} />
          </>
        )}
        {base === undefined ? (
          <Actions name={name} current={current} edited={edited} />
        ) : (
          <KeyForm
            name={name}
            text={textOf(base.value)}
            version={base.value === undefined ? null : base.version}
            onDone={close}
            onCancel={close}
          />
        )}
      </Panel>
      <KeyHistory state={key} />
    </>
  );
}

const FLASH = [
  { boxShadow: '0 0 0 4px var(--accent-soft)' },
  { boxShadow: '0 0 0 4px transparent' },
];
const FLASH_MS = 700;

/** Flashes when it changes, so that one sees that it lives. */
function CurrentValue({ current }: { readonly current: Stored }) {
  const box = useRef<HTMLDivElement>(null);
  const first = useRef(true);
  const { version } = current;
  useEffect(() => {
    if (first.current) first.current = false;
    else if (version !== undefined && isMotionWelcome()) box.current?.animate(FLASH, FLASH_MS);
  }, [version]);
  return (
    <div class="current" ref={box}>
      {current.value === undefined ? (
        <p class="empty">It has no value: it was deleted, or it never had one.</p>
      ) : (
        <ValueView value={current.value} />
      )}
    </div>
  );
}

const isMotionWelcome = (): boolean =>
  matchMedia('(prefers-reduced-motion: no-preference)').matches;

function Facts({ state, current }: { readonly state: KeyState; readonly current: Stored }) {
  const { value, version, atMs } = current;
  const expiresAtMs = state.expiresAtMs.value;
  return (
    <dl class="facts-list">
      <dt>Time</dt>
      <dd>
        {clock(atMs, nowMs.value)}
        {atMs !== undefined && <span class="quiet"> {agoText(nowMs.value - atMs)}</span>}
      </dd>
      <dt>Version</dt>
      <dd>{version ?? UNKNOWN}</dd>
      {value !== undefined && (
        <>
          <dt>Kind</dt>
          <dd>
            {KIND_WORDS[value.kind]},{' '}
            {value.size < 1_000 ? `${count(value.size)} B` : bytes(value.size)}
          </dd>
        </>
      )}
      {expiresAtMs !== undefined && (
        <>
          <dt>Expires</dt>
          <dd>{clock(expiresAtMs, nowMs.value)}</dd>
        </>
      )}
      <KeyPlace name={state.name} />
    </dl>
  );
}

const KIND_WORDS: Readonly<Record<Value['kind'], string>> = {
  number: 'a number',
  json: 'JSON',
  text: 'text',
  binary: 'bytes',
};

function agoText(ms: number): string {
  if (ms < 1_000) return ms < -1_000 ? `in ${duration(-ms)}` : 'now';
  return `${duration(ms)} ago`;
}

function textOf(value: Value | undefined): string {
  if (value === undefined || value.kind === 'binary') return '';
  return value.kind === 'json' ? JSON.stringify(value.json, undefined, 2) : value.text;
}

interface ActionsProps {
  readonly name: string;
  readonly current: Stored | undefined;
  readonly edited: Signal<Stored | undefined>;
}

function Actions({ name, current, edited }: ActionsProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const problem = useSignal<string | undefined>(undefined);
  const value = current?.value;
  const remove = async (): Promise<void> => {
    dialog.current?.close();
    const answer = await deleteKey(name, { ifVersion: current?.version });
    if (answer.kind === 'ok') void reloadTree();
    const isLost = answer.kind === 'refused' && answer.status === 412;
    if (isLost) problem.value = 'It has another value by now, so it was not deleted.';
    else problem.value = answer.kind === 'ok' ? undefined : answer.detail;
  };
  return (
    <>
      <div class="buttons">
        <button
          type="button"
          disabled={current === undefined}
          onClick={() => {
            edited.value = current;
          }}
        >
          {value === undefined ? 'Store a value' : 'Change'}
        </button>
        {hasNumbers(value) && (
          <a
            class="button"
            href={formatRoute('charts', undefined, new URLSearchParams({ s: name }))}
          >
            Chart
          </a>
        )}
        {value !== undefined && (
          <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>
            Delete
          </button>
        )}
      </div>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <dialog ref={dialog} aria-labelledby="delete-title">
        <h2 id="delete-title">Delete this key?</h2>
        <p>
          <code>{name}</code> will have no value for anybody. Its history stays as long as the rules
          for retention keep it.
        </p>
        <div class="buttons">
          <button type="button" class="danger" onClick={() => void remove()}>
            Delete
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Keep
          </button>
        </div>
      </dialog>
    </>
  );
}

function hasNumbers(value: Value | undefined): boolean {
  return value?.kind === 'number' || (value?.kind === 'json' && numberPaths(value.json).length > 0);
}
