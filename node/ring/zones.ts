/** Which nodes may fail together. Nodes that name no zone share one. */
export class Zones {
  readonly #zoneOf: ReadonlyMap<string, string>;

  constructor(nodes: readonly { readonly id: string; readonly zone?: string }[]) {
    this.#zoneOf = new Map(nodes.map(({ id, zone = '' }) => [id, zone]));
  }

  /** Those of `candidates`, in their order, whose zone has the fewest of `chosen`. */
  leastCrowded(candidates: readonly string[], chosen: readonly string[]): string[] {
    const crowds = candidates.map((id) => this.#crowd(id, chosen));
    const least = Math.min(...crowds);
    return candidates.filter((_, index) => crowds[index] === least);
  }

  /** Those of `ids`, in their order, whose zone has the most of them. */
  mostCrowded(ids: readonly string[]): string[] {
    const crowds = ids.map((id) => this.#crowd(id, ids));
    const most = Math.max(...crowds);
    return ids.filter((_, index) => crowds[index] === most);
  }

  #crowd(id: string, among: readonly string[]): number {
    const zone = this.#zoneOf.get(id);
    return among.filter((other) => this.#zoneOf.get(other) === zone).length;
  }
}
