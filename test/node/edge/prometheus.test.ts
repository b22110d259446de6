import { describe, expect, it } from 'vitest';
import { Prometheus } from '../../../node/edge/prometheus.ts';
import { LatencyHistogram } from '../../../node/metrics/latency-histogram.ts';
import { METRIC_FAMILIES } from '../../../node/metrics/table.ts';
import { factsOf } from '../metrics/facts.ts';

const linesOf = async (prometheus: Prometheus) => (await prometheus.expose()).text.split('\n');

describe('Prometheus', () => {
  it('writes every metric with its help and type, in the text format', async () => {
    const prometheus = new Prometheus(METRIC_FAMILIES, () => factsOf());
    const { contentType } = await prometheus.expose();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = await linesOf(prometheus);
    for (const { name, help, type } of METRIC_FAMILIES.flatMap(({ metrics }) => metrics)) {
      expect(lines).toContain(`# HELP ${name} ${help}`);
      expect(lines).toContain(`# TYPE ${name} ${type}`);
    }
    const line = /^(#.*|dss_\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? -?[\d.e+-]+|)$/;
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'dss_puts_total 7',
        'dss_requests_total{verb="get",outcome="NOT_FOUND"} 3',
        'dss_refusals_total{code="NOT_ALLOWED"} 2',
        'dss_raft_leader{group="1"} 1',
        'dss_raft_applied_lag_entries{group="1"} 2',
        'dss_process_start_time_seconds 1.5',
        'dss_event_loop_delay_p99_seconds 0.02',
        'dss_node_info{id="abc",name="n1",zone="hall \\"A\\"",version="1.2.3",engine="lsm"} 1',
      ]),
    );
  });

  it('counts in each bucket of a histogram what is in the ones before, in seconds', async () => {
    const histogram = new LatencyHistogram();
    histogram.add(0.7, 3);
    histogram.add(8);
    histogram.add(20_000);
    const commits = { counts: histogram.counts(), sum: histogram.sumMs / 1_000 };
    const lines = await linesOf(new Prometheus(METRIC_FAMILIES, () => factsOf({ commits })));
    expect(lines).toEqual(
      expect.arrayContaining([
        'dss_commit_duration_seconds_bucket{le="0.0005"} 0',
        'dss_commit_duration_seconds_bucket{le="0.001"} 3',
        'dss_commit_duration_seconds_bucket{le="0.0075"} 3',
        'dss_commit_duration_seconds_bucket{le="0.01"} 4',
        'dss_commit_duration_seconds_bucket{le="10"} 4',
        'dss_commit_duration_seconds_bucket{le="+Inf"} 5',
        'dss_commit_duration_seconds_count 5',
      ]),
    );
  });

  it('reads the facts once for each answer, and tells only what holds then', async () => {
    let asked = 0;
    const prometheus = new Prometheus(METRIC_FAMILIES, () => {
      asked += 1;
      return asked === 1 ? factsOf() : { ...factsOf(), member: undefined };
    });
    expect(await linesOf(prometheus)).toContain('dss_node_joined 1');
    const lines = await linesOf(prometheus);
    expect(asked).toBe(2);
    expect(lines).toContain('dss_node_joined 0');
    expect(lines.filter((line) => line.startsWith('dss_raft'))).toEqual([]);
  });
});
