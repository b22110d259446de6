import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Metric, MetricFamily } from '../../../node/metrics/metric.ts';
import { METRIC_FAMILIES } from '../../../node/metrics/table.ts';
import { factsOf } from './facts.ts';

const DOCUMENT = new URL('../../../docs/METRICS.md', import.meta.url).pathname;
const DASHBOARD = new URL('../../../docs/grafana/dss.json', import.meta.url).pathname;

const METRICS = METRIC_FAMILIES.flatMap(({ metrics }) => metrics);

/** Whose values are few, whoever uses the cluster. */
const LABELS = [
  ...['verb', 'outcome', 'code', 'state', 'rule', 'link', 'role', 'group', 'level', 'kind', 'mode'],
  ...['id', 'name', 'zone', 'version', 'engine', 'severity'],
];
const RESERVED_ENDINGS = /_(bucket|count|sum)$/;
const OTHER_UNITS = /_(ms|millis|milliseconds|micros|kib|mib|kilobytes|megabytes|percent)(_|$)/;

const HEAD = `# Metrics

\`GET /metrics\` on the HTTP port of every node, for [Prometheus](https://prometheus.io/docs/introduction/overview/), is how that node is: its
counters since it started, and what is so now. Each node tells of itself; what it says of the cluster is what it sees.
A dashboard for Grafana 10 and later is [grafana/dss.json](grafana/dss.json): import it, and choose the Prometheus data source.

Whoever may log in may ask for it, also with a user who may read and write nothing. On nodes with [users](SECURITY.md#users) give
Prometheus one of its own, whose password \`dss passwd\` hashes:

\`\`\`yaml
users:
  - name: prometheus
    password: scrypt:16384:8:5:…   # what dss passwd printed; no read and no write
\`\`\`

and in \`prometheus.yml\`:

\`\`\`yaml
scrape_configs:
  - job_name: dss
    scheme: https                  # http without TLS; then leave out tls_config
    tls_config: { ca_file: /etc/prometheus/dss-ca.pem }
    basic_auth: { username: prometheus, password_file: /etc/prometheus/dss-password }
    static_configs:
      - targets: ['gw1.lan:8080', 'gw2.lan:8080', 'gw3.lan:8080']
\`\`\`

Nodes without users answer their own machine only: let a Prometheus there ask \`127.0.0.1:8080\`, without \`basic_auth\`.

Labels have few values each: no client ids, keys or topics. What cannot be known now, as before a node has joined its cluster, is left
out. Written by \`npx vitest run test/node/metrics -u\` from \`node/metrics/\`.
`;

function section({ title, metrics }: MetricFamily): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const columns = [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), help];
    return `| ${columns.join(' | ')} |`;
  });
  const head = ['| name | type | labels | what it means |', '|---|---|---|---|'];
  return [`## ${title}`, '', ...head, ...rows, ''].join('\n');
}

describe('the table of metrics', () => {
  it('names each metric once, as Prometheus would have it', () => {
    const names = METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const wrong = METRICS.filter(({ name, type }) => {
      const isCounter = type === 'counter';
      const isPlain = /^dss(_[a-z0-9]+)+$/.test(name) && !OTHER_UNITS.test(name);
      return !isPlain || RESERVED_ENDINGS.test(name) || name.endsWith('_total') !== isCounter;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('says in one sentence what each is', () => {
    const wrong = METRICS.filter(({ help }) => !/^[A-Z][^\n|]+\.$/.test(help));
    expect(wrong.map(({ name, help }) => [name, help])).toEqual([]);
  });

  it('has labels of few values only, and each of them in every sample', () => {
    const scalars = METRICS.filter((metric) => metric.type !== 'histogram');
    for (const { name, labels, read } of scalars) {
      expect(LABELS, name).toEqual(expect.arrayContaining([...labels]));
      for (const sample of read(factsOf())) {
        expect(Object.keys(sample.labels), name).toEqual(labels);
        expect(Number.isFinite(sample.value), name).toBe(true);
      }
    }
  });

  it('tells nothing of a cluster that the node has not joined', () => {
    const facts = { ...factsOf(), member: undefined };
    const told = METRICS.filter((metric) => {
      const read = metric.read(facts);
      return Array.isArray(read) ? read.length > 0 : read !== undefined;
    });
    const prefixes = told.map(({ name }) => name.split('_')[1]);
    expect(prefixes).toContain('puts');
    for (const prefix of ['raft', 'log', 'engine', 'storage', 'nodes', 'commit', 'moves']) {
      expect(prefixes).not.toContain(prefix);
    }
  });

  it('is what docs/METRICS.md says', async () => {
    const text = [HEAD, ...METRIC_FAMILIES.map(section)].join('\n');
    await expect(text).toMatchFileSnapshot(DOCUMENT);
  });
});

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');
  const targets = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr })),
  );
  const known = new Map(METRICS.flatMap(seriesOf));

  it('shows metrics that there are, counters as rates, by labels that they have', () => {
    expect(targets.length).toBeGreaterThan(30);
    for (const { title, expr } of targets) {
      const series = [...expr.matchAll(/\bdss_\w+/g)].map(([name]) => name);
      expect(series, title).not.toEqual([]);
      const metrics = series.map((name) => known.get(name));
      expect(series.filter((_, at) => metrics[at] === undefined)).toEqual([]);
      const isRate = /\b(rate|increase)\(/.test(expr);
      expect(isRate, expr).toBe(metrics.some((metric) => metric?.type !== 'gauge'));
      const labels = metrics.flatMap((metric) => metric?.labels ?? []) as string[];
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(
        ([, list = '']) => list.match(/\w+/g) ?? [],
      );
      expect([...labels, 'instance', 'le']).toEqual(expect.arrayContaining(grouped));
    }
  });

  it('asks the data source that is chosen, of the nodes that are', () => {
    const { list } = dashboard.templating;
    expect(list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const { title, datasource } of panels) {
      expect(datasource?.uid, title).toBe(`\${datasource}`);
    }
    for (const { expr } of targets) {
      const selectors = expr.match(/\bdss_\w+\{job=~"\$job", ?instance=~"\$instance"/g) ?? [];
      expect(selectors.length, expr).toBe(expr.match(/\bdss_\w+/g)?.length);
    }
  });

  it('has a place of its own for each panel', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});

function seriesOf(metric: Metric): [string, Metric][] {
  if (metric.type !== 'histogram') return [[metric.name, metric]];
  return ['bucket', 'sum', 'count'].map((ending) => [`${metric.name}_${ending}`, metric]);
}

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: { readonly uid: string };
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}
