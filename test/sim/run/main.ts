import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MIXES, type MixName } from '../faults/mixes.ts';
import { Report } from './report.ts';
import type { Job, Outcome } from './worker.ts';

// Runs seeds on all cores: npm run sim -- --seeds 1-10000 --minutes 30 [--mix name] [--verbose]

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-200' },
    minutes: { type: 'string', default: '60' },
    mix: { type: 'string', default: 'everything' },
    verbose: { type: 'boolean', default: false },
  },
});

const [firstSeed = 1, lastSeed = firstSeed] = options.seeds.split('-').map(Number);
const minutes = Number(options.minutes);
const mixes = options.mix === 'all' ? (Object.keys(MIXES) as MixName[]) : [options.mix as MixName];
if (!(firstSeed <= lastSeed) || !(minutes > 0) || mixes.some((mix) => !(mix in MIXES))) {
  console.error(
    `usage: npm run sim -- --seeds 1-10000 --minutes 30 [--mix ${['all', ...Object.keys(MIXES)].join('|')}] [--verbose]`,
  );
  process.exit(2);
}

/** Every seed with every mix, until time is over. */
function* jobs(): Generator<Job> {
  const endMs = Date.now() + minutes * 60_000;
  for (let seed = firstSeed; seed <= lastSeed; seed++) {
    for (const mix of mixes) {
      if (Date.now() >= endMs) return;
      yield { seed, mix, verbose: options.verbose };
    }
  }
}

/** One process after the other's seeds; one that dies of a seed is replaced. */
function work(queue: Iterator<Job>, report: Report): Promise<void> {
  return new Promise((resolve) => {
    const next = queue.next();
    if (next.done === true) return resolve();
    let job: Job | undefined = next.value;
    const worker = fork(join(import.meta.dirname, 'worker.js'), {
      execArgv: ['--max-semi-space-size=32', '--enable-source-maps'],
    });
    worker.on('message', (outcome: Outcome) => {
      report.finished(outcome);
      const following = queue.next();
      job = following.done === true ? undefined : following.value;
      if (job === undefined) worker.disconnect();
      else worker.send(job);
    });
    worker.on('exit', (code, signal) => {
      if (job === undefined) return resolve();
      report.died(job, `its process ended with ${signal ?? code}`);
      void work(queue, report).then(resolve);
    });
    worker.send(job);
  });
}

const report = new Report();
const queue = jobs();
await Promise.all(Array.from({ length: availableParallelism() }, () => work(queue, report)));
report.end();
process.exitCode = report.violations > 0 ? 1 : 0;
