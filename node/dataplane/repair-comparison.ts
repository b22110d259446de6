import { compareBytes } from '../../lsm/bytes.ts';
import type { CurrentValue } from '../shard/current-values.ts';

/** The newest entry of a key at one replica, deleted or expired or not, as of an applied index. */
export interface Sighting {
  readonly appliedIndex: number;
  /** Undefined: there is none. */
  readonly item: CurrentValue | undefined;
  /** What expires by then has expired. */
  readonly highestVersion: number;
}

/** What each node that has answered saw, in one round of asking. */
export type Round = ReadonlyMap<string, Sighting>;

export type RepairVerdict =
  | { readonly kind: 'equal'; readonly answer: Sighting }
  | { readonly kind: 'different'; readonly answer: Sighting }
  /** Nobody can say yet: ask again, for what is applied up to here. */
  | { readonly kind: 'open'; readonly index: number };

/**
 * Compares what replicas hold of a key at one applied index, without stopping them there. Who has seen the same
 * version before and after that index, which only grows, had it at the index too; and whoever was at the index is the
 * measure.
 */
export function compareSightings(before: Round | undefined, now: Round): RepairVerdict {
  const newest = newestOf([...now.values()]);
  if (isOneOf(now.values())) return { kind: 'equal', answer: newest };
  const open = { kind: 'open', index: newest.appliedIndex } as const;
  if (before === undefined || before.size === 0) return open;
  const index = newestOf([...before.values()]).appliedIndex;
  const atIndex: Sighting[] = [];
  for (const [node, sighting] of now) {
    const earlier = before.get(node);
    if (earlier === undefined) return open;
    const isStill = isSameEntry(earlier, sighting) && sighting.appliedIndex >= index;
    if (earlier.appliedIndex !== index && !isStill) return open;
    atIndex.push(earlier);
  }
  if (isOneOf(atIndex)) return { kind: 'equal', answer: newest };
  return { kind: 'different', answer: majorityOf(atIndex) };
}

/** What most saw; of as many, the highest version. */
function majorityOf(sightings: readonly Sighting[]): Sighting {
  const votes = (sighting: Sighting) =>
    sightings.filter((other) => isSameValue(sighting, other)).length;
  return sightings.reduce((best, each) => {
    const lead = votes(each) - votes(best) || versionOf(each) - versionOf(best);
    return lead > 0 ? each : best;
  });
}

function newestOf(sightings: readonly Sighting[]): Sighting {
  return sightings.reduce((best, each) => (each.appliedIndex > best.appliedIndex ? each : best));
}

function isOneOf(sightings: Iterable<Sighting>): boolean {
  const [first, ...others] = sightings;
  return first === undefined || others.every((each) => isSameValue(first, each));
}

/** A tombstone may be gone at one of two replicas: to readers that is the same. */
function isSameValue(a: Sighting, b: Sighting): boolean {
  const [one, other] = [visible(a), visible(b)];
  if (one === undefined || other === undefined) return one === other;
  return isSameEntry(a, b) && one.time === other.time && compareBytes(one.value, other.value) === 0;
}

function isSameEntry(a: Sighting, b: Sighting): boolean {
  return versionOf(a) === versionOf(b);
}

function visible({ item }: Sighting): CurrentValue | undefined {
  return item?.deleted === true ? undefined : item;
}

function versionOf({ item }: Sighting): number {
  return item?.version ?? 0;
}
