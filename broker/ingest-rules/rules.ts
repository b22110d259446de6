import { type CompiledRule, compileRule } from './compiled-rule.ts';
import type { IngestRule } from './rule.ts';

/** Topics whose rule is known. Sites have thousands of topics, each published to again and again. */
const CACHED_TOPICS_MAX = 10_000;
const CACHED_TOPIC_CHARACTERS_MAX = 256;

/** The rules of a cluster, in their order. Never changed: other rules are another object. */
export class IngestRules {
  /** Rules that this version does not understand, written by a newer one. They match nothing. */
  readonly unusable: readonly { readonly name: string; readonly wrong: string }[];
  readonly #rules: readonly CompiledRule[];
  /** null: no rule matches. When `#recent` is full it becomes `#older`, so what is in use is found again. */
  #recent = new Map<string, CompiledRule | null>();
  #older = new Map<string, CompiledRule | null>();

  constructor(rules: readonly IngestRule[]) {
    const usable: CompiledRule[] = [];
    const unusable: { name: string; wrong: string }[] = [];
    for (const rule of rules) {
      const compiled = compileRule(rule);
      if ('wrong' in compiled) unusable.push({ name: rule.name, wrong: compiled.wrong });
      else usable.push(compiled.value);
    }
    this.#rules = usable;
    this.unusable = unusable;
  }

  /** No topic can match: callers need not even read it. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** The first rule that matches a topic; undefined: it is not stored. Our own topics never match. */
  match(topic: string): CompiledRule | undefined {
    if (this.isEmpty) return undefined;
    const recent = this.#recent.get(topic);
    if (recent !== undefined) return recent ?? undefined;
    const older = this.#older.get(topic);
    const found = older === undefined ? this.#find(topic) : older;
    if (topic.length <= CACHED_TOPIC_CHARACTERS_MAX) this.#remember(topic, found);
    return found ?? undefined;
  }

  #find(topic: string): CompiledRule | null {
    if (topic.startsWith('dss/')) return null;
    const rule = this.#rules.find(
      ({ filter, except }) =>
        filter.matches(topic) && !except.some((excepted) => excepted.matches(topic)),
    );
    return rule ?? null;
  }

  #remember(topic: string, found: CompiledRule | null): void {
    if (this.#recent.size >= CACHED_TOPICS_MAX / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(topic, found);
  }
}
