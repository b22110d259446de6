import { getPriority, setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { OsVfs } from '../vfs/os.ts';
import { Courtesy } from './courtesy.ts';
import { runJob } from './jobs.ts';
import { describeFailure, type JobRequest, type JobResponse } from './messages.ts';

/** A third of the time that the other threads get where all want it: flushes must not fall behind for ever. */
const NICENESS = 5;

/** The other thread: takes jobs and answers each with what came of it. Who reads and writes goes first. */
const vfs = new OsVfs();
// Only there threads have a niceness of their own.
if (process.platform === 'linux' && getPriority() < NICENESS) setPriority(NICENESS);

const courtesy = new Courtesy({ nowMs: () => performance.now(), pause });

parentPort?.on('message', ({ id, job, input }: JobRequest) => {
  const answer = (response: JobResponse) => parentPort?.postMessage(response);
  runJob(vfs, job, input, courtesy).then(
    (output) => answer({ id, output }),
    (error: unknown) => answer({ id, failure: describeFailure(error) }),
  );
});
