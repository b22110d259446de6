import type { Output } from '../output.ts';
import { formatTable } from '../table.ts';

export type FindingState = 'ok' | 'warning' | 'problem';

/** One thing that was examined. */
export interface Finding {
  /** Stable: what was examined. */
  readonly check: string;
  readonly state: FindingState;
  readonly message: string;
  /** What to do; empty where nothing is to be done. */
  readonly advice: string;
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message, advice: '' };
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: 'warning', message, advice };
}

export function problem(check: string, message: string, advice: string): Finding {
  return { check, state: 'problem', message, advice };
}

export function worstOf(findings: readonly Finding[]): FindingState {
  const states = findings.map(({ state }) => state);
  if (states.includes('problem')) return 'problem';
  return states.includes('warning') ? 'warning' : 'ok';
}

const STYLES = { ok: 'green', warning: 'yellow', problem: 'red' } as const;
const ADVICE_INDENT = '    → ';

/** A line each, and what to do below those that need it. */
export function formatFindings(findings: readonly Finding[], output: Output): string {
  const columns = [{ title: 'CHECK' }, { title: 'STATE' }, { title: 'WHAT WAS FOUND' }];
  const rows = findings.map(({ check, state, message }) => [
    check,
    output.style(STYLES[state], state),
    message,
  ]);
  const [head = '', ...lines] = formatTable(columns, rows).split('\n');
  const explained = lines.flatMap((line, index) => {
    const advice = findings[index]?.advice ?? '';
    return advice === '' ? [line] : [line, ADVICE_INDENT + advice];
  });
  return [head, ...explained, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: FindingState) => findings.filter(({ state }) => state === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems + warnings === 0) return 'All is well.';
  const noun = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${noun(problems, 'problem')}, ${noun(warnings, 'warning')}.`;
}
