import type { Step } from './step.ts';
import type { GroupTruth } from './truth.ts';

interface Pending {
  readonly step: Step;
  readonly untilMs: number;
  /** It will not be done: its group is only left alone for a while. */
  hasFailed: boolean;
}

/** A step that was proposed shows up in a heartbeat; after this it never will. */
const STEP_DEADLINE_MS = 15_000;
/** Before a leader that refused is asked again. */
const RETRY_MS = 2_000;

/** Steps that were asked for and cannot be seen in the truth yet. */
export class UnderWay {
  readonly #pending = new Map<number, Pending>();

  add(step: Step, nowMs: number): void {
    this.#pending.set(step.group, { step, untilMs: nowMs + STEP_DEADLINE_MS, hasFailed: false });
  }

  refused(step: Step, nowMs: number): void {
    if (this.#pending.get(step.group)?.step !== step) return;
    this.#pending.set(step.group, { step, untilMs: nowMs + RETRY_MS, hasFailed: true });
  }

  /** Takes out what the truth shows to be done, or shows nothing of in time. */
  settle(truths: readonly GroupTruth[], nowMs: number): { done: Step[]; late: Step[] } {
    const done: Step[] = [];
    const late: Step[] = [];
    for (const [group, { step, untilMs, hasFailed }] of this.#pending) {
      const truth = truths.find((one) => one.group === group);
      const isDone = truth !== undefined && shows(truth, step);
      if (!isDone && nowMs < untilMs) continue;
      this.#pending.delete(group);
      if (hasFailed) continue;
      if (isDone) done.push(step);
      else late.push(step);
    }
    return { done, late };
  }

  /** Groups that were refused something count too: they get no other step yet. */
  steps(): Step[] {
    return [...this.#pending.values()].map(({ step }) => step);
  }

  clear(): void {
    this.#pending.clear();
  }
}

/** Whether the group has got past the step, by it or by something else. */
function shows(truth: GroupTruth, step: Step): boolean {
  if (truth.configurationIndex > step.configurationIndex) return true;
  return step.kind === 'transfer' && truth.leader !== step.leader;
}
