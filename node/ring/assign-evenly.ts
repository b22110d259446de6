import assert from 'node:assert/strict';

/**
 * Picks one of the `candidates` of every item such that the picks fall on them as evenly as the candidates
 * permit; `undefined` for an item without any. Starts from everybody's first candidate and then moves
 * picks along chains (a hands an item to b, b one to c) from the most picked to one that is picked at
 * least two times less, until there is no such chain. That is an optimal semi-matching (Harvey, Ladner,
 * Lovász and Tamir, 2006), and close to the first choices because most picks never move.
 */
export function assignEvenly(
  candidates: readonly (readonly string[])[],
): readonly (string | undefined)[] {
  const picks = candidates.map(([first]) => first);
  const counts = new Map<string, number>();
  for (const id of candidates.flat().sort()) counts.set(id, 0);
  for (const id of picks) if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);

  while (moveOne(candidates, picks, counts)) {
    // Each move brings two counts nearer to each other, so this ends.
  }
  return picks;
}

/** Moves one pick from a crowded candidate to a lonely one, over others if need be. */
function moveOne(
  candidates: readonly (readonly string[])[],
  picks: (string | undefined)[],
  counts: Map<string, number>,
): boolean {
  const mostPickedFirst = [...counts].sort(([, a], [, b]) => b - a);
  for (const [from, count] of mostPickedFirst) {
    const cameBy = reachableFrom(from, candidates, picks);
    const to = [...cameBy.keys()].find((id) => (counts.get(id) ?? 0) <= count - 2);
    if (to === undefined) continue;
    counts.set(from, count - 1);
    counts.set(to, (counts.get(to) ?? 0) + 1);
    for (let receiver = to; receiver !== from; ) {
      const item = cameBy.get(receiver);
      const giver = item === undefined ? undefined : picks[item];
      assert(item !== undefined && giver !== undefined, 'a chain leads back to its origin');
      picks[item] = receiver;
      receiver = giver;
    }
    return true;
  }
  return false;
}

/** Who can be handed an item by `from`, nearest first, and by which item each was reached. */
function reachableFrom(
  from: string,
  candidates: readonly (readonly string[])[],
  picks: readonly (string | undefined)[],
): Map<string, number> {
  const cameBy = new Map<string, number>();
  const queue = [from];
  for (const giver of queue) {
    for (const [item, ids] of candidates.entries()) {
      if (picks[item] !== giver) continue;
      for (const id of ids) {
        if (id === from || cameBy.has(id)) continue;
        cameBy.set(id, item);
        queue.push(id);
      }
    }
  }
  return cameBy;
}
