import type { Metric as ClientMetric, Registry } from 'prom-client';
import type { MetricFacts } from '../metrics/facts.ts';
import type { Buckets, Metric, MetricFamily, Scalar } from '../metrics/metric.ts';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

interface Value {
  readonly labels: object;
  readonly value: number;
  readonly metricName?: string;
}

/**
 * Metrics in the text format of Prometheus, read from the node when they are asked for. prom-client is not loaded before:
 * a node that nobody asks does not pay for it.
 */
export class Prometheus {
  readonly #families: readonly MetricFamily[];
  readonly #readFacts: () => MetricFacts;
  #registry: Promise<Registry> | undefined;
  /** Of the answer that is being written. */
  #facts: MetricFacts | undefined;

  constructor(families: readonly MetricFamily[], readFacts: () => MetricFacts) {
    this.#families = families;
    this.#readFacts = readFacts;
  }

  async expose(): Promise<Exposition> {
    this.#registry ??= this.#load();
    const registry = await this.#registry;
    this.#facts = this.#readFacts();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  async #load(): Promise<Registry> {
    const { Registry } = await import('prom-client');
    const registry = new Registry();
    for (const metric of this.#families.flatMap(({ metrics }) => metrics)) {
      registry.registerMetric(collected(metric, () => this.#facts as MetricFacts));
    }
    return registry;
  }
}

/**
 * Its own metrics hold counts of their own, and buckets that cannot be set. A registry asks them for nothing but this,
 * so a metric that reads the node's counts keeps nothing.
 */
function collected(metric: Metric, facts: () => MetricFacts): ClientMetric {
  const { name, help, type } = metric;
  const get = async () => ({
    ...{ name, help, type },
    values: metric.type === 'histogram' ? bucketsOf(metric, facts()) : samplesOf(metric, facts()),
  });
  return { name, get } as unknown as ClientMetric;
}

function samplesOf({ read }: Scalar, facts: MetricFacts): Value[] {
  return read(facts).map(({ value, labels }) => ({ value, labels }));
}

/** Prometheus counts in each bucket what is in the ones before, too. */
function bucketsOf(
  { name, bounds, read }: Extract<Metric, { type: 'histogram' }>,
  facts: MetricFacts,
): Value[] {
  const buckets: Buckets | undefined = read(facts);
  if (buckets === undefined) return [];
  let count = 0;
  const values = [...bounds, '+Inf'].map((le, bucket) => {
    count += buckets.counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le }, value: count };
  });
  return [
    ...values,
    { metricName: `${name}_sum`, labels: {}, value: buckets.sum },
    { metricName: `${name}_count`, labels: {}, value: count },
  ];
}
