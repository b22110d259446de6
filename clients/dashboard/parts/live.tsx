import { nowMs } from '../api/cluster.ts';
import type { WatchState } from '../api/watch.ts';
import { duration } from '../model/format.ts';

/** Whether what one sees changes by itself. */
export function LiveMark({ state }: { readonly state: WatchState }) {
  return (
    <span class={`live ${state.kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      {textOf(state)}
    </span>
  );
}

function textOf(state: WatchState): string {
  switch (state.kind) {
    case 'connecting':
      return 'connecting';
    case 'live':
      return 'live';
    case 'broken':
      return `not live for ${duration(Math.max(0, nowMs.value - state.sinceMs))}`;
    case 'refused':
      return `not live: ${state.detail}`;
  }
}
