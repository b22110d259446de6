/** Of the values with this version or a lower one, all but the newest `count` of a key are hidden. */
export interface CountLimit {
  readonly upToVersion: number;
  /** At least 1. */
  readonly count: number;
}

/** A count that hides nothing. */
export const UNLIMITED = Number.POSITIVE_INFINITY;
const LIMITS_MAX = 8;

/**
 * What must be remembered when the count that governs a key goes from `oldCount` to `newCount`, so that
 * nothing that was hidden comes back: a greater count is for later values only. `limits` are those remembered
 * before; `version` is that of the log entry, above all values so far.
 */
export function limitsAfterChange(
  limits: readonly CountLimit[],
  change: { readonly oldCount: number; readonly newCount: number; readonly version: number },
): readonly CountLimit[] {
  const { oldCount, newCount, version } = change;
  if (newCount <= oldCount) return limitsThatMatter(limits, newCount, 0);
  const all = [...limits, { upToVersion: version, count: oldCount }];
  return shortened(limitsThatMatter(all, newCount, 0));
}

/**
 * The limits without those that no longer say anything: all that they speak of is below the cutoff, or
 * another one or the present count, which will be remembered when it is raised, hides as much. What is left
 * ascends both in versions and in counts. Returns `limits` itself if all of them matter.
 */
export function limitsThatMatter(
  limits: readonly CountLimit[],
  count: number,
  cutoff: number,
): readonly CountLimit[] {
  const left = limits.filter(
    (limit, index) =>
      limit.count < count &&
      limit.upToVersion >= cutoff &&
      !limits.some((later, at) => at > index && later.count <= limit.count),
  );
  return left.length === limits.length ? limits : left;
}

export function sameLimits(a: readonly CountLimit[], b: readonly CountLimit[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ upToVersion, count }, index) => {
      const other = b[index] as CountLimit;
      return upToVersion === other.upToVersion && count === other.count;
    })
  );
}

/**
 * Merges the two newest: the lower count for all values so far. Merging older ones would hide values from the
 * midst of a series, and others behind them, not hidden by the newer limit, would move up and come back.
 */
function shortened(limits: readonly CountLimit[]): readonly CountLimit[] {
  if (limits.length <= LIMITS_MAX) return limits;
  const { upToVersion } = limits.at(-1) as CountLimit;
  const { count } = limits.at(-2) as CountLimit;
  return [...limits.slice(0, -2), { upToVersion, count }];
}
