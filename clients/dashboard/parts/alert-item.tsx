import { nowMs } from '../api/cluster.ts';
import type { Alert } from '../model/documents.ts';
import { clock, duration, timeOf } from '../model/format.ts';
import { Mark } from './mark.tsx';

/** What is, since when, and what to do. */
export function AlertItem({ alert }: { readonly alert: Alert }) {
  const { name, message, advice, severity = 'warning', state, since, until } = alert;
  const sinceMs = timeOf(since);
  const untilMs = timeOf(until);
  const health = state === 'resolved' ? 'unknown' : severity;
  return (
    <li class={`alert ${health}`}>
      <Mark health={health} />
      <div>
        <p>
          <strong>{message}</strong>
          {state === 'pending' && <span class="tag">pending</span>}
        </p>
        {advice !== undefined && advice !== '' && state !== 'resolved' && (
          <p class="advice">{advice}</p>
        )}
        <p class="facts">
          <code>{name}</code>
          {state === 'resolved' && <span>{severity}</span>}
          {sinceMs !== undefined && (
            <span>
              {untilMs === undefined ? 'since ' : ''}
              {clock(sinceMs, nowMs.value)}
              {untilMs === undefined
                ? ` (${duration(nowMs.value - sinceMs)})`
                : ` to ${clock(untilMs, nowMs.value)} (${duration(untilMs - sinceMs)})`}
            </span>
          )}
        </p>
      </div>
    </li>
  );
}
