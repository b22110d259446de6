import type { ReplicaId } from '../raft/types.ts';
import { type GroupMembers, hasMajority, type Place, placesOf } from '../shard/configuration.ts';
import type { DigestPart } from './digest.ts';

/** What came of comparing the replicas of a group. */
export interface Comparison {
  /** Replicas whose content is that of the others, and which could go on without the rest. */
  readonly agreeing: readonly Place[];
  readonly differing: readonly Place[];
  /** Could not be compared. */
  readonly missing: readonly Place[];
  /** Where they differ. */
  readonly slots: readonly number[];
  /** Whether it is known who is right: `agreeing` are at least two, and have a majority. */
  readonly isDecided: boolean;
}

export type Digest = readonly DigestPart[];

/**
 * Compares what replicas found at one index of their log. Who differs from two or more that agree, and that decide
 * without it, is wrong; of two that differ nobody knows which one is.
 */
export function compareReplicas(
  members: GroupMembers,
  digests: ReadonlyMap<ReplicaId, Digest>,
): Comparison {
  const places = placesOf(members);
  const present = places.filter(({ replicaId }) => digests.has(replicaId));
  const missing = places.filter(({ replicaId }) => !digests.has(replicaId));
  const classes = new Map<string, Place[]>();
  for (const place of present) {
    const text = textOf(digests.get(place.replicaId) as Digest);
    classes.set(text, [...(classes.get(text) ?? []), place]);
  }
  const [all, second] = classes.values();
  if (all === undefined || second === undefined) {
    return { agreeing: present, differing: [], missing, slots: [], isDecided: present.length > 1 };
  }
  const slots = differingSlots([...digests.values()]);
  const right = [...classes.values()].find((equal) => {
    const ids = new Set(equal.map(({ replicaId }) => replicaId));
    return equal.length > 1 && hasMajority(members, ids);
  });
  if (right === undefined) {
    return { agreeing: [], differing: present, missing, slots, isDecided: false };
  }
  const differing = present.filter((place) => !right.includes(place));
  return { agreeing: right, differing, missing, slots, isDecided: true };
}

function differingSlots(digests: readonly Digest[]): number[] {
  const texts = digests.map((digest) => new Map(digest.map((part) => [part.slot, partText(part)])));
  const slots = new Set(digests.flatMap((digest) => digest.map(({ slot }) => slot)));
  return [...slots]
    .filter((slot) => new Set(texts.map((parts) => parts.get(slot))).size > 1)
    .sort((a, b) => a - b);
}

function textOf(digest: Digest): string {
  return digest.map(partText).sort().join(' ');
}

function partText({ slot, crc, entries, bytes }: DigestPart): string {
  return `${slot}:${crc}:${entries}:${bytes}`;
}
