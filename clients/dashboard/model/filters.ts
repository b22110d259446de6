/**
 * MQTT filters that together give all of `keys`, as few as `filtersMax`: a browser has six connections to a node,
 * for all of its pages. What they give beside the keys is to be left out by whoever asks.
 */
export function filtersOf(keys: readonly string[], filtersMax: number): string[] {
  if (keys.length <= filtersMax) return [...keys];
  const byDepth = new Map<number, string[][]>();
  for (const levels of keys.map((key) => key.split('/'))) {
    byDepth.set(levels.length, [...(byDepth.get(levels.length) ?? []), levels]);
  }
  const merged = [...byDepth.values()].map((group) => common(group).join('/'));
  return merged.length <= filtersMax ? merged : [everythingBelow(keys)];
}

/** `a/b/c` and `a/x/c` are `a/+/c`. */
function common([first = [], ...others]: readonly string[][]): string[] {
  return first.map((level, at) => (others.every((other) => other[at] === level) ? level : '+'));
}

function everythingBelow(keys: readonly string[]): string {
  const [first = [], ...others] = keys.map((key) => key.split('/'));
  const differs = first.findIndex((level, at) => others.some((other) => other[at] !== level));
  return [...first.slice(0, differs === -1 ? first.length : differs), '#'].join('/');
}
