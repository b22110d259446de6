import { counter, each, gauge, type MetricFamily } from './metric.ts';

/** The process and its event loop. */
export const PROCESS_METRICS: MetricFamily = {
  title: 'Process',
  metrics: [
    each(
      'gauge',
      'dss_node_info',
      'Always 1; its labels say which node this is.',
      ({ node, member }) => [
        { ...node, zone: member?.zone ?? '', engine: member?.engineName ?? '' },
      ],
      {
        node: ({ id }) => id,
        name: ({ name }) => name,
        zone: ({ zone }) => zone,
        version: ({ version }) => version,
        engine: ({ engine }) => engine,
      },
      () => 1,
    ),
    gauge(
      'dss_node_joined',
      'Whether this node has joined its cluster.',
      ({ member }) => member !== undefined,
    ),
    gauge(
      'dss_process_start_time_seconds',
      'When this process started, in seconds since 1970.',
      ({ process }) => process.startedAtMs / 1_000,
    ),
    gauge(
      'dss_process_resident_memory_bytes',
      'Memory of this process.',
      ({ process }) => process.residentBytes,
    ),
    gauge(
      'dss_process_memory_max_bytes',
      'What this process may use of it; 0: no limit is known.',
      ({ process }) => process.memoryMaxBytes,
    ),
    gauge(
      'dss_process_heap_used_bytes',
      'JavaScript objects on the main thread.',
      ({ process }) => process.heapUsedBytes,
    ),
    gauge(
      'dss_process_external_memory_bytes',
      'Buffers and the like beside the heap.',
      ({ process }) => process.externalBytes,
    ),
    each(
      'counter',
      'dss_process_cpu_seconds_total',
      'CPU time of this process, all threads.',
      ({ process }) => [
        { mode: 'user', seconds: process.cpuUserSeconds },
        { mode: 'system', seconds: process.cpuSystemSeconds },
      ],
      { mode: ({ mode }) => mode },
      ({ seconds }) => seconds,
    ),
    counter(
      'dss_process_main_thread_cpu_seconds_total',
      'CPU time of the main thread, which runs the event loop; known on Linux.',
      ({ process }) => process.mainThreadCpuSeconds,
    ),
    counter(
      'dss_event_loop_busy_seconds_total',
      'Time in which the event loop had something to do.',
      ({ process }) => process.loopBusySeconds,
    ),
    each(
      'gauge',
      'dss_event_loop_delay_seconds',
      'How late the event loop came to what was due in the last ten to twenty seconds; quantile 1 is the latest.',
      ({ process: { loopDelayMs } }) => [
        { quantile: 0.5, ms: loopDelayMs.p50 },
        { quantile: 0.99, ms: loopDelayMs.p99 },
        { quantile: 1, ms: loopDelayMs.max },
      ],
      { quantile: ({ quantile }) => quantile },
      ({ ms }) => ms / 1_000,
    ),
  ],
};
