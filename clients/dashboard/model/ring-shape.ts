/** Paths of the drawn ring: 0 is at the top, and all goes clockwise. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const FULL = 2 * Math.PI;

/** `turn` is 0 to 1. */
export function pointAt(turn: number, radius: number): Point {
  const angle = turn * FULL - FULL / 4;
  return { x: round(radius * Math.cos(angle)), y: round(radius * Math.sin(angle)) };
}

/** A piece of a ring around 0,0. */
export function sectorPath(
  { begin, end }: { readonly begin: number; readonly end: number },
  { inner, outer }: { readonly inner: number; readonly outer: number },
): string {
  // An arc from a point to itself is none.
  const stop = Math.min(end, begin + 0.9999);
  const large = stop - begin > 0.5 ? 1 : 0;
  const [a, b] = [pointAt(begin, outer), pointAt(stop, outer)];
  const [c, d] = [pointAt(stop, inner), pointAt(begin, inner)];
  return `M${a.x} ${a.y}A${outer} ${outer} 0 ${large} 1 ${b.x} ${b.y}L${c.x} ${c.y}A${inner} ${inner} 0 ${large} 0 ${d.x} ${d.y}Z`;
}

/** Where the ring of each node lies, from outside in. */
export function bandsOf(
  amount: number,
  { inner, outer, gap }: { readonly inner: number; readonly outer: number; readonly gap: number },
): { readonly inner: number; readonly outer: number }[] {
  const width = Math.min(34, (outer - inner - gap * (amount - 1)) / Math.max(1, amount));
  return Array.from({ length: amount }, (_, at) => {
    const top = outer - at * (width + gap);
    return { outer: round(top), inner: round(top - width) };
  });
}

const round = (value: number): number => Math.round(value * 100) / 100;
