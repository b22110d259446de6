import type { Access } from './access.ts';
import type { BatchWrite } from './batch.ts';
import type { BrokerEnv } from './env.ts';
import {
  DEFAULT_INGEST_LIMITS,
  evaluate,
  type IngestLimits,
  type IngestMessage,
} from './ingest-rules/ingest-message.ts';
import type { IngestRule } from './ingest-rules/rule.ts';
import { RuleCounters, type RuleCounts } from './ingest-rules/rule-counters.ts';
import { IngestRules } from './ingest-rules/rules.ts';
import type { BrokerLimits } from './limits.ts';
import { type Forbidden, forbiddenToWrite } from './permissions.ts';
import { LEVELS_MAX } from './topics.ts';

/** What a message to an ordinary topic means to the store. */
export type RuleOutcome =
  | { readonly kind: 'not-stored' }
  | { readonly kind: 'writes'; readonly writes: readonly BatchWrite[] }
  /** The user may publish there, but not write the key that the rule makes of it. */
  | { readonly kind: 'forbidden'; readonly why: Forbidden };

const NOT_STORED: RuleOutcome = { kind: 'not-stored' };

/** The ingest rules that hold at the moment, for all connections of a broker (DESIGN §7). */
export class LiveRules {
  readonly #counters = new RuleCounters();
  /** What a message may be made into. */
  readonly limits: IngestLimits;
  readonly #env: BrokerEnv;
  #current = new IngestRules([]);
  #isKnown: boolean;
  readonly #waiting = new Set<() => void>();

  constructor(
    env: BrokerEnv,
    limits: Pick<BrokerLimits, 'keyBytesMax' | 'valueBytesMax'>,
    options: { readonly isKnown: boolean },
  ) {
    const { keyBytesMax, valueBytesMax } = limits;
    this.#env = env;
    this.limits = { ...DEFAULT_INGEST_LIMITS, keyBytesMax, valueBytesMax };
    this.#isKnown = options.isKnown;
  }

  get current(): IngestRules {
    return this.#current;
  }

  /** False until somebody has said what the rules are: there may be some. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  counts(name: string): RuleCounts {
    return this.#counters.of(name);
  }

  use(rules: readonly IngestRule[]): void {
    this.#current = new IngestRules(rules);
    this.#isKnown = true;
    this.#counters.keepOnly(rules.map(({ name }) => name));
    for (const { name, wrong } of this.#current.unusable) {
      this.#env.events.emit({
        level: 'warn',
        name: 'ingest-rule-unusable',
        message: `the ingest rule "${name}" stores nothing here: ${wrong}`,
      });
    }
    for (const goOn of [...this.#waiting]) {
      if (this.#waiting.delete(goOn)) goOn();
    }
  }

  /** Calls `goOn` when the rules are known, or after `atMostMs`. Returns a function that cancels it. */
  whenKnown(atMostMs: number, goOn: () => void): () => void {
    const cancel = () => {
      cancelTimer();
      this.#waiting.delete(known);
    };
    const known = () => {
      cancelTimer();
      goOn();
    };
    const cancelTimer = this.#env.timers.after(atMostMs, () => {
      this.#waiting.delete(known);
      goOn();
    });
    this.#waiting.add(known);
    return cancel;
  }

  /** What of a message is to be stored, for a user who may publish to its topic. Counts it. */
  apply(message: IngestMessage, access: Access): RuleOutcome {
    const rule = isStorable(message.topic) ? this.#current.match(message.topic) : undefined;
    if (rule === undefined) return NOT_STORED;
    const evaluation = evaluate(rule, message, this.limits);
    const writes = evaluation.kind === 'writes' ? evaluation.writes : [];
    for (const { key } of writes) {
      const why = forbiddenToWrite(access, key, 0, key.length);
      if (why === undefined) continue;
      const sentence = `${why.message}, where the ingest rule "${rule.name}" stores this`;
      return { kind: 'forbidden', why: { ...why, message: sentence } };
    }
    this.#counters.record(rule.name, message, evaluation);
    return writes.length === 0 ? NOT_STORED : { kind: 'writes', writes };
  }
}

/** What the session layer does not take is not stored either. */
function isStorable(topic: string): boolean {
  return topic.split('/', LEVELS_MAX + 1).length <= LEVELS_MAX;
}
