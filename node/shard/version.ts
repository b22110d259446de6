import { unixMsToVersion } from '../../broker/data-plane.ts';

/**
 * The commit order: a hybrid logical clock in 53 bits, milliseconds since 2020 × 4096 + counter (DESIGN §3 ▣).
 * The leader gives a batch of writes the versions `base … base + count - 1`. They grow in log order even
 * when this node's clock is behind the last leader's; a batch of more than 4,096 borrows from the next ms.
 */
export function baseVersion(nowMs: number, lastVersion: number): number {
  return Math.max(unixMsToVersion(nowMs), lastVersion + 1);
}
