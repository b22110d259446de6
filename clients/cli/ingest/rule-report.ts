import { formatTable } from '../table.ts';
import { formatTime } from '../time.ts';

/** What `GET /v1/ingest` answers, as far as it is read here. Counters are those of one node. */
export interface IngestDocument {
  readonly revision: number;
  readonly rules: readonly IngestRuleReport[];
}

interface IngestRuleReport {
  readonly name: string;
  readonly filter: string;
  readonly except: readonly string[];
  /** Empty, like all below, where the rule does not say it. */
  readonly key: string;
  readonly value: string;
  readonly time: string;
  readonly timeUnit: string;
  readonly timeZone: string;
  readonly counters: RuleCounters;
  readonly examples: readonly ProblemExample[];
  readonly lastStored: { readonly atMs: number } | null;
}

interface RuleCounters {
  readonly messages: number;
  readonly stored: number;
  readonly deleted: number;
  readonly problems: Readonly<Record<string, number>>;
}

interface ProblemExample {
  readonly problem: string;
  readonly topic: string;
  /** Perhaps only its beginning. */
  readonly payload: string;
  readonly encoding: 'text' | 'base64';
  readonly atMs: number;
  readonly message: string;
}

/**
 * One document of several nodes': the rules of the newest revision, their counts summed, and of each problem
 * the last example.
 */
export function mergeDocuments(documents: readonly IngestDocument[]): IngestDocument {
  const newest = documents.reduce((best, next) => (next.revision > best.revision ? next : best));
  const rules = newest.rules.map((rule) => {
    const reports = documents.flatMap((document) =>
      document.rules.filter((candidate) => candidate.name === rule.name),
    );
    const counters = sumCounters(reports);
    return { ...rule, counters, examples: lastExamples(reports), lastStored: lastStored(reports) };
  });
  return { ...newest, rules };
}

function sumCounters(reports: readonly IngestRuleReport[]): RuleCounters {
  const sum = { messages: 0, stored: 0, deleted: 0, problems: {} as Record<string, number> };
  for (const { counters } of reports) {
    sum.messages += counters.messages;
    sum.stored += counters.stored;
    sum.deleted += counters.deleted;
    for (const [problem, count] of Object.entries(counters.problems)) {
      sum.problems[problem] = (sum.problems[problem] ?? 0) + count;
    }
  }
  return sum;
}

function lastExamples(reports: readonly IngestRuleReport[]): ProblemExample[] {
  const last = new Map<string, ProblemExample>();
  for (const example of reports.flatMap(({ examples }) => examples)) {
    const known = last.get(example.problem);
    if (known === undefined || example.atMs > known.atMs) last.set(example.problem, example);
  }
  return [...last.values()];
}

function lastStored(reports: readonly IngestRuleReport[]) {
  const known = reports.flatMap((report) => report.lastStored ?? []);
  return known.sort((a, b) => b.atMs - a.atMs)[0] ?? null;
}

/** The rules in their order, what each has done, and below the last example of each problem. */
export function formatRules({ rules }: IngestDocument): string {
  if (rules.length === 0) return 'No ingest rules: ordinary topics are not stored.';
  const columns = [
    ...['NAME', 'FILTER', 'KEY', 'VALUE', 'TIME'].map((title) => ({ title })),
    ...['MESSAGES', 'STORED', 'DELETED', 'PROBLEMS'].map((title) => ({ title, right: true })),
    { title: 'EXCEPT' },
  ];
  const rows = rules.map((rule) => {
    const { messages, stored, deleted, problems } = rule.counters;
    const troubled = Object.values(problems).reduce((sum, count) => sum + count, 0);
    return [
      rule.name,
      rule.filter,
      rule.key || (rule.value.startsWith('each') ? '$topic/$field' : '$topic'),
      rule.value || '(payload)',
      [rule.time, rule.timeUnit, rule.timeZone].filter(Boolean).join(' '),
      ...[messages, stored, deleted, troubled].map(String),
      rule.except.join(' '),
    ];
  });
  const problems = rules.flatMap(formatProblems);
  return [formatTable(columns, rows), ...(problems.length > 0 ? [''] : []), ...problems].join('\n');
}

function formatProblems({ name, counters, examples }: IngestRuleReport): string[] {
  return examples.flatMap(({ problem, atMs, message, topic, payload, encoding }) => {
    const shown = encoding === 'base64' ? `base64:${payload}` : payload;
    const amount = counters.problems[problem] ?? 0;
    return [
      `${name}: ${problem}, ${amount === 1 ? 'once' : `${amount} times; last`} at ${formatTime(atMs)}: ${message}`,
      `  ${topic} ${shown}`,
    ];
  });
}
