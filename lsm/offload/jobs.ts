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
import { runSalvage, type SalvageInput } from '../compaction/salvage.ts';
import type { Vfs } from '../vfs/vfs.ts';
import type { Courtesy } from './courtesy.ts';
import type { JobName } from './offload.ts';

/** Runs a job by its name, in whichever thread this is. */
export function runJob(
  vfs: Vfs,
  job: JobName,
  input: unknown,
  courtesy?: Courtesy,
): Promise<unknown> {
  const pace = courtesy?.pace();
  switch (job) {
    case 'flush': {
      const flush = runFlush(vfs, input as FlushInput);
      return courtesy === undefined ? flush : courtesy.whileFlushing(flush);
    }
    case 'compact': {
      const { haste } = input as CompactInput;
      return runCompact(vfs, input as CompactInput, courtesy?.pace(haste));
    }
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
