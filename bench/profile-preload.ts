import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a node before everything else (`--import`, for `NODE_OPTIONS` takes no `--cpu-prof`): profiles its main
 * thread from one SIGUSR2 to the next.
 */
const SAMPLING_MICROS = 250;

const directory = process.env.DSS_BENCH_PROFILE;
if (directory !== undefined && isMainThread) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
  let isProfiling = false;
  process.on('SIGUSR2', () => {
    isProfiling = !isProfiling;
    if (isProfiling) session.post('Profiler.start');
    else session.post('Profiler.stop', save);
  });

  function save(error: Error | null, result: { profile: object }): void {
    if (error) throw error;
    mkdirSync(directory as string, { recursive: true });
    writeFileSync(`${directory}/${process.pid}.cpuprofile`, JSON.stringify(result.profile));
  }
}
