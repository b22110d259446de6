import type { AnswerErrorCode } from './answers.ts';
import type { Request } from './requests.ts';

type AnswerOutcome = 'ok' | AnswerErrorCode;

export interface AnswerCount {
  readonly verb: Request['op'];
  readonly outcome: AnswerOutcome;
  readonly count: number;
}

/** What was asked for since the start, and what came of it. */
export class AnswerCounts {
  readonly #counts = new Map<Request['op'], Map<AnswerOutcome, number>>();

  add(verb: Request['op'], outcome: AnswerOutcome): void {
    let outcomes = this.#counts.get(verb);
    if (outcomes === undefined) this.#counts.set(verb, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  list(): AnswerCount[] {
    return [...this.#counts].flatMap(([verb, outcomes]) =>
      Array.from(outcomes, ([outcome, count]) => ({ verb, outcome, count })),
    );
  }
}
