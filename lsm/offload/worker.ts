import { parentPort } from 'node:worker_threads';
import { OsVfs } from '../vfs/os.ts';
import { runJob } from './jobs.ts';
import { describeFailure, type JobRequest, type JobResponse } from './messages.ts';

/** The other thread: takes jobs and answers each with what came of it. */
const vfs = new OsVfs();

parentPort?.on('message', ({ id, job, input }: JobRequest) => {
  const answer = (response: JobResponse) => parentPort?.postMessage(response);
  runJob(vfs, job, input).then(
    (output) => answer({ id, output }),
    (error: unknown) => answer({ id, failure: describeFailure(error) }),
  );
});
