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
        id: ({ id }) => id,
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
      ({ runtime }) => runtime.startedAtMs / 1_000,
    ),
    gauge(
      'dss_process_resident_memory_bytes',
      'Memory of this runtime.',
      ({ runtime }) => runtime.residentBytes,
    ),
    gauge(
      'dss_process_memory_max_bytes',
      'What this process may use of it; 0: no limit is known.',
      ({ runtime }) => runtime.memoryMaxBytes,
    ),
    gauge(
      'dss_process_heap_used_bytes',
      'JavaScript objects on the main thread.',
      ({ runtime }) => runtime.heapUsedBytes,
    ),
    gauge(
      'dss_process_external_memory_bytes',
      'Buffers and the like beside the heap.',
      ({ runtime }) => runtime.externalBytes,
    ),
    each(
      'counter',
      'dss_process_cpu_seconds_total',
      'CPU time of this process, all threads.',
      ({ runtime }) => [
        { mode: 'user', seconds: runtime.cpuUserSeconds },
        { mode: 'system', seconds: runtime.cpuSystemSeconds },
      ],
      { mode: ({ mode }) => mode },
      ({ seconds }) => seconds,
    ),
    counter(
      'dss_process_main_thread_cpu_seconds_total',
      'CPU time of the main thread, which runs the event loop; known on Linux.',
      ({ runtime }) => runtime.mainThreadCpuSeconds,
    ),
    counter(
      'dss_event_loop_busy_seconds_total',
      'Time in which the event loop had something to do.',
      ({ runtime }) => runtime.loopBusySeconds,
    ),
    gauge(
      'dss_event_loop_delay_p50_seconds',
      'How late the event loop came to what was due: half of the time no later, in the last ten to twenty seconds.',
      ({ runtime }) => runtime.loopDelayMs.p50 / 1_000,
    ),
    gauge(
      'dss_event_loop_delay_p99_seconds',
      'The same, 99 % of the time no later.',
      ({ runtime }) => runtime.loopDelayMs.p99 / 1_000,
    ),
    gauge(
      'dss_event_loop_delay_max_seconds',
      'The same, at the worst.',
      ({ runtime }) => runtime.loopDelayMs.max / 1_000,
    ),
  ],
};
