import {
  type CompactInput,
  type FlushInput,
  type RewriteInput,
  runCompact,
  runFlush,
  runRewrite,
} from '../compaction/job.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { JobName } from './offload.ts';

/** Runs a job by its name, in whichever thread this is. */
export function runJob(vfs: Vfs, job: JobName, input: unknown): Promise<unknown> {
  switch (job) {
    case 'flush':
      return runFlush(vfs, input as FlushInput);
    case 'compact':
      return runCompact(vfs, input as CompactInput);
    case 'rewrite':
      return runRewrite(vfs, input as RewriteInput);
  }
}
