import {
  type CompactInput,
  type CutInput,
  type FlushInput,
  type LoadInput,
  type RewriteInput,
  runCompact,
  runCut,
  runFlush,
  runLoad,
  runRewrite,
  runVerify,
  type VerifyInput,
} from '../compaction/job.ts';
import type { Pace } from '../compaction/outputs.ts';
import { runSalvage, type SalvageInput } from '../compaction/salvage.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { JobName } from './offload.ts';

/** Runs a job by its name, in whichever thread this is. What is not a flush writes at the pace. */
export function runJob(vfs: Vfs, job: JobName, input: unknown, pace?: Pace): Promise<unknown> {
  switch (job) {
    case 'flush':
      return runFlush(vfs, input as FlushInput);
    case 'compact':
      return runCompact(vfs, input as CompactInput, pace);
    case 'rewrite':
      return runRewrite(vfs, input as RewriteInput, pace);
    case 'cut':
      return runCut(vfs, input as CutInput, pace);
    case 'salvage':
      return runSalvage(vfs, input as SalvageInput, pace);
    case 'load':
      return runLoad(vfs, input as LoadInput, pace);
    case 'verify':
      return runVerify(vfs, input as VerifyInput);
  }
}
