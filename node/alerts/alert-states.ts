import type { Measurement } from './measure.ts';
import {
  adviceOf,
  alertName,
  RULES,
  type RuleInForce,
  type RuleName,
  type RuleSettings,
  rulesInForce,
  type Severity,
} from './rules.ts';

/** Something that somebody should look at. Times are wall clock, milliseconds since 1970. */
export interface Alert {
  /** The same on all nodes. */
  readonly name: string;
  readonly rule: RuleName;
  readonly subject: string;
  readonly severity: Severity;
  /** `pending`: it has not held for long enough yet. */
  readonly state: 'pending' | 'firing';
  /** It has held since then. */
  readonly sinceMs: number;
  readonly message: string;
  readonly advice: string;
}

export interface ResolvedAlert extends Omit<Alert, 'state'> {
  readonly state: 'resolved';
  readonly untilMs: number;
}

/** What is known of an alert beyond its rule: enough to tell it to another node, or to oneself after a restart. */
export type ToldAlert = Pick<Alert, 'rule' | 'subject' | 'sinceMs' | 'message'>;

export type AlertChange =
  | { readonly kind: 'firing'; readonly alert: Alert }
  | { readonly kind: 'resolved'; readonly alert: ResolvedAlert };

export interface Look {
  readonly measurements: readonly Measurement[];
  /** What other nodes say of themselves: whether it fires, they have decided. */
  readonly told: readonly ToldAlert[];
  /** Wall clock. */
  readonly nowMs: number;
  /** A clock that does not jump. */
  readonly livedMs: number;
}

/** What holds goes on to do so until it is clearly better. */
const CLEAR_SHARE = 0.9;
/** After a start nothing is known of the others for a while. */
const RESTORED_KEPT_MS = 30_000;
/** Figures change all the time: who follows an alert hears them so often. */
const SAY_AGAIN_MS = 10_000;
/** More warnings than so many say nothing that these do not; there is not more that is critical than a cluster has parts. */
const ALERTS_MAX = 200;
export const MESSAGE_LENGTH_MAX = 300;

interface Held {
  alert: Alert;
  /** In lived time: since when it has held; and since when it has not, if so. */
  readonly heldSinceMs: number;
  lapsedSinceMs: number | undefined;
  /** When its message was written. */
  saidAtMs: number;
  readonly keptUntilMs: number;
  isTold: boolean;
}

/** By rules that say what, how much and for how long: from pending to firing to resolved. */
export class AlertStates {
  readonly rules: Readonly<Record<RuleName, RuleInForce>>;
  readonly #held = new Map<string, Held>();

  constructor(settings: RuleSettings = {}) {
    this.rules = rulesInForce(settings);
  }

  /** Those that fired when the node stopped still do, until it is known better. */
  restore(alerts: readonly ToldAlert[], livedMs: number): void {
    for (const told of alerts) {
      if (!this.rules[told.rule].isEnabled) continue;
      const times = { heldSinceMs: livedMs, keptUntilMs: livedMs + RESTORED_KEPT_MS };
      const alert = firing(told);
      const rest = { lapsedSinceMs: undefined, saidAtMs: livedMs, isTold: false };
      this.#held.set(alert.name, { alert, ...times, ...rest });
    }
  }

  /** To be called every second. */
  look(look: Look): AlertChange[] {
    const changes: AlertChange[] = [];
    const holding = new Set<string>();
    for (const measurement of look.measurements) {
      const name = this.#hold(measurement, look, changes);
      if (name !== undefined) holding.add(name);
    }
    for (const told of look.told) {
      const name = alertName(told.rule, told.subject);
      if (holding.has(name)) continue;
      if (this.#takeTold(name, told, look, changes)) holding.add(name);
    }
    for (const [name, held] of this.#held) {
      if (!holding.has(name)) this.#lapse(name, held, look, changes);
    }
    return changes;
  }

  /** The worst first: those that fire, that are critical, that are oldest. */
  list(): Alert[] {
    return [...this.#held.values()].map(({ alert }) => alert).sort(byWeight);
  }

  /** Those that fire and that nobody else can know of. */
  ownFiring(): Alert[] {
    return [...this.#held.values()]
      .filter(({ isTold, lapsedSinceMs }) => !isTold && lapsedSinceMs === undefined)
      .map(({ alert }) => alert)
      .filter(({ state, rule }) => state === 'firing' && RULES[rule].scope === 'node')
      .sort(byWeight);
  }

  /** The name of the alert, if it holds. */
  #hold(
    { rule, subject, value, message }: Measurement,
    { nowMs, livedMs }: Look,
    changes: AlertChange[],
  ): string | undefined {
    const { isEnabled, threshold, forSeconds } = this.rules[rule];
    const name = alertName(rule, subject);
    const known = this.#held.get(name);
    const from = (threshold ?? 0) * (known?.alert.state === 'firing' ? CLEAR_SHARE : 1);
    if (!isEnabled || value < from) return undefined;
    if (known === undefined && !this.#hasRoomFor(rule)) return undefined;
    const held: Held = known ?? {
      alert: { ...firing({ rule, subject, sinceMs: nowMs, message }), state: 'pending' },
      ...{ heldSinceMs: livedMs, saidAtMs: livedMs, keptUntilMs: 0 },
      ...{ lapsedSinceMs: undefined, isTold: false },
    };
    this.#held.set(name, held);
    if (held.alert.state === 'pending' || livedMs - held.saidAtMs >= SAY_AGAIN_MS) {
      held.alert = { ...held.alert, message: shortened(message) };
      held.saidAtMs = livedMs;
    }
    held.lapsedSinceMs = undefined;
    held.isTold = false;
    if (held.alert.state === 'pending' && livedMs - held.heldSinceMs >= forSeconds * 1_000) {
      held.alert = { ...held.alert, state: 'firing' };
      changes.push({ kind: 'firing', alert: held.alert });
    }
    return name;
  }

  #hasRoomFor(rule: RuleName): boolean {
    return this.#held.size < ALERTS_MAX || RULES[rule].severity === 'critical';
  }

  #takeTold(name: string, told: ToldAlert, { livedMs }: Look, changes: AlertChange[]): boolean {
    const known = this.#held.get(name);
    if (known === undefined && !this.#hasRoomFor(told.rule)) return false;
    const alert = firing({ ...told, sinceMs: known?.alert.sinceMs ?? told.sinceMs });
    if (known?.alert.state !== 'firing') changes.push({ kind: 'firing', alert });
    const times = { heldSinceMs: livedMs, saidAtMs: livedMs, keptUntilMs: 0 };
    this.#held.set(name, { alert, ...times, lapsedSinceMs: undefined, isTold: true });
    return true;
  }

  #lapse(name: string, held: Held, { nowMs, livedMs }: Look, changes: AlertChange[]): void {
    const { alert, isTold, keptUntilMs } = held;
    if (livedMs < keptUntilMs) return;
    held.lapsedSinceMs ??= livedMs;
    const { forSeconds } = this.rules[alert.rule];
    const waits = alert.state === 'firing' && !isTold;
    if (waits && livedMs - held.lapsedSinceMs < forSeconds * 1_000) return;
    this.#held.delete(name);
    if (alert.state === 'pending') return;
    const untilMs = Math.max(nowMs, alert.sinceMs);
    changes.push({ kind: 'resolved', alert: { ...alert, state: 'resolved', untilMs } });
  }
}

/** What a told alert is, with what its rule says of it. */
export function firing({ rule, subject, sinceMs, message }: ToldAlert): Alert {
  const { severity } = RULES[rule];
  return {
    name: alertName(rule, subject),
    ...{ rule, subject, severity, state: 'firing', sinceMs },
    ...{ message: shortened(message), advice: adviceOf(rule, subject) },
  };
}

function byWeight(a: Alert, b: Alert): number {
  const weight = ({ state, severity }: Alert) =>
    (state === 'firing' ? 0 : 2) + (severity === 'critical' ? 0 : 1);
  return weight(a) - weight(b) || a.sinceMs - b.sinceMs || (a.name < b.name ? -1 : 1);
}

function shortened(message: string): string {
  return message.length <= MESSAGE_LENGTH_MAX
    ? message
    : `${message.slice(0, MESSAGE_LENGTH_MAX - 1)}…`;
}
