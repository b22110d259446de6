import type { ResolvedAlert, ToldAlert } from './alert-states.ts';
import { firing, MESSAGE_LENGTH_MAX } from './alert-states.ts';
import { isRuleName } from './rules.ts';

export const HISTORY_MAX = 1_000;

/** The last alerts that are over, oldest first. */
export class AlertHistory {
  #alerts: ResolvedAlert[];

  constructor(alerts: readonly ResolvedAlert[] = []) {
    this.#alerts = alerts.slice(-HISTORY_MAX);
  }

  add(alert: ResolvedAlert): void {
    this.#alerts.push(alert);
    if (this.#alerts.length > HISTORY_MAX) this.#alerts.shift();
  }

  list(): readonly ResolvedAlert[] {
    return this.#alerts;
  }
}

/** What is kept over a restart. */
export interface KeptAlerts {
  readonly firing: readonly ToldAlert[];
  readonly history: readonly ResolvedAlert[];
}

/** One array each, in JSON: `[rule, subject, sinceMs, untilMs or 0, message]`. What the rules say is not kept. */
type Row = readonly [string, string, number, number, string];

export function encodeKept({ firing: firingNow, history }: KeptAlerts): string {
  const rows = [
    ...history.map(({ rule, subject, sinceMs, untilMs, message }): Row => {
      return [rule, subject, sinceMs, untilMs, message];
    }),
    ...firingNow.map(({ rule, subject, sinceMs, message }): Row => {
      return [rule, subject, sinceMs, 0, message];
    }),
  ];
  return JSON.stringify(rows);
}

/** Of rules that this version does not know nothing is kept. */
export function decodeKept(text: string): KeptAlerts {
  const rows = JSON.parse(text) as readonly unknown[];
  const firingThen: ToldAlert[] = [];
  const history: ResolvedAlert[] = [];
  for (const row of rows) {
    if (!isRow(row)) continue;
    const [rule, subject, sinceMs, untilMs, message] = row;
    if (!isRuleName(rule)) continue;
    const told = { rule, subject, sinceMs, message: message.slice(0, MESSAGE_LENGTH_MAX) };
    if (untilMs === 0) firingThen.push(told);
    else history.push({ ...firing(told), state: 'resolved', untilMs });
  }
  return { firing: firingThen, history };
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 5) return false;
  return `${row.map((member) => typeof member)}` === 'string,string,number,number,string';
}
