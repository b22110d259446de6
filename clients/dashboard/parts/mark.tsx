import type { Health } from '../model/summary.ts';

type MarkHealth = Health | 'unknown';

const SHAPES: Readonly<Record<MarkHealth, preact.JSX.Element>> = {
  ok: <circle cx="6" cy="6" r="4.5" />,
  warning: <path d="M6 .8 11.6 11H.4z" />,
  critical: <path d="M6 0 12 6 6 12 0 6z" />,
  unknown: <circle cx="6" cy="6" r="3.9" fill="none" stroke-width="1.4" class="hollow" />,
};

/** A state as shape and colour: not everybody sees the colours. What it means stands beside it in words. */
export function Mark({ health }: { readonly health: MarkHealth }) {
  return (
    <svg class={`mark ${health}`} viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      {SHAPES[health]}
    </svg>
  );
}

/** For states of nodes. */
export function healthOf(state: string): MarkHealth {
  if (state === 'active') return 'ok';
  if (state === 'joining' || state === 'leaving' || state === 'suspect') return 'warning';
  return state === 'unknown' ? 'unknown' : 'critical';
}
