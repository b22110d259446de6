import type { MetricFacts } from './facts.ts';

/** What `GET /metrics` tells of one thing. */
export type Metric = Scalar | Distribution;

interface Described {
  /** With its unit, in base units; of what only grows it ends in `_total`. */
  readonly name: `dss_${string}`;
  /** What it means, in one sentence. */
  readonly help: string;
}

export interface Scalar extends Described {
  readonly type: 'counter' | 'gauge';
  /** Of bounded values: never client ids, keys or topics. */
  readonly labels: readonly string[];
  /** None: it cannot be known now. */
  readonly read: (facts: MetricFacts) => readonly Sample[];
}

export interface Sample {
  readonly value: number;
  /** One for each of the metric's labels. */
  readonly labels: Readonly<Record<string, string | number>>;
}

export interface Distribution extends Described {
  readonly type: 'histogram';
  readonly labels: readonly [];
  /** Upper bounds of the buckets. */
  readonly bounds: readonly number[];
  readonly read: (facts: MetricFacts) => Buckets | undefined;
}

export interface Buckets {
  /** Not cumulative; one more than there are bounds. */
  readonly counts: Float64Array;
  readonly sum: number;
}

/** Metrics that belong together, under a heading of docs/METRICS.md. */
export interface MetricFamily {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

type ReadOne = (facts: MetricFacts) => number | boolean | undefined;

/** Something that only grows. */
export function counter(name: Metric['name'], help: string, read: ReadOne): Scalar {
  return { name, help, type: 'counter', labels: [], read: (facts) => sampleOf(read(facts)) };
}

/** Something that goes up and down; what holds or does not hold is 1 or 0. */
export function gauge(name: Metric['name'], help: string, read: ReadOne): Scalar {
  return { name, help, type: 'gauge', labels: [], read: (facts) => sampleOf(read(facts)) };
}

/** The same for each of several, which labels tell apart. */
export function each<Item>(
  type: Scalar['type'],
  name: Metric['name'],
  help: string,
  items: (facts: MetricFacts) => Iterable<Item>,
  labels: Readonly<Record<string, (item: Item) => string | number>>,
  value: (item: Item) => number | boolean,
): Scalar {
  const entries = Object.entries(labels);
  const labelsOf = (item: Item) =>
    Object.fromEntries(entries.map(([label, read]) => [label, read(item)]));
  return {
    ...{ name, help, type, labels: Object.keys(labels) },
    read: (facts) =>
      Array.from(items(facts), (item) => ({ value: Number(value(item)), labels: labelsOf(item) })),
  };
}

function sampleOf(value: number | boolean | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value: Number(value), labels: {} }];
}
