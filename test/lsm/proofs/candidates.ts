/**
 * What may be there after writes of which some failed, so that it is unknown whether they happened: after each call
 * all contents that are possible. Content is a map; contents are told apart by how they look.
 */
export class Candidates {
  /** The possible contents after each call. */
  readonly #history: Map<string, Content>[] = [byLook([new Map()])];
  /** A power cut leaves what was possible after this call or a later one. */
  durable = 0;

  get now(): readonly Content[] {
    return [...(this.#history.at(-1) as Map<string, Content>).values()];
  }

  /** A call that changes something, and what is known of it. */
  apply(change: (content: Content) => void, outcome: 'done' | 'refused' | 'unknown'): void {
    const after = this.now.map((content) => {
      const changed = new Map(content);
      change(changed);
      return changed;
    });
    if (outcome === 'done') this.#history.push(byLook(after));
    else if (outcome === 'refused') this.#history.push(byLook(this.now));
    else this.#history.push(byLook([...this.now, ...after]));
  }

  /** All until now lasts. */
  noteDurable(): void {
    this.durable = this.#history.length - 1;
  }

  /** What was read is what there is. */
  settle(content: Content): void {
    this.#history.push(byLook([content]));
  }

  allows(content: Content): boolean {
    return this.#history.at(-1)?.has(lookOf(content)) === true;
  }

  allowsAfterPowerCut(content: Content): boolean {
    const look = lookOf(content);
    return this.#history.slice(this.durable).some((possible) => possible.has(look));
  }
}

export type Content = Map<string, string>;

export function lookOf(content: Content): string {
  return [...content]
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');
}

function byLook(contents: readonly Content[]): Map<string, Content> {
  return new Map(contents.map((content) => [lookOf(content), content]));
}
