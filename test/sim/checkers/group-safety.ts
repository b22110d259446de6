import { Violation } from './violation.ts';

/** An entry as far as two of them can differ. */
export interface SeenEntry {
  readonly index: number;
  readonly term: number;
  /** Of its kind and data. */
  readonly digest: number;
}

interface Committed extends SeenEntry {
  /** No later than in this term. */
  readonly byTerm: number;
  /** What applying it came to. */
  readonly effect: number;
  readonly node: string;
}

/**
 * The promises of one Raft group (Ongaro, Ousterhout 2014, figure 3), checked by what its replicas do, with
 * nothing of theirs trusted but what an entry's index and term are.
 */
export class GroupSafety {
  readonly #group: number;
  readonly #leaders = new Map<number, string>();
  /** By index and term: the digest, and the term of the entry before. */
  readonly #entries = new Map<string, { readonly digest: number; readonly previousTerm: number }>();
  readonly #committed: (Committed | undefined)[] = [];
  /** By index: the term of the entry that each node has synced there. */
  readonly #synced: (Map<string, number> | undefined)[] = [];
  /** Up to here a node's log is in its tables. */
  readonly #starts = new Map<string, number>();

  constructor(group: number) {
    this.#group = group;
  }

  /** The highest index that anybody has applied. */
  get committedIndex(): number {
    return this.#committed.length - 1;
  }

  /** A node leads from now on. `termAt` gives the terms of its log, undefined where it has nothing. */
  elected(
    node: string,
    term: number,
    logStart: number,
    termAt: (index: number) => number | undefined,
  ): void {
    const other = this.#leaders.get(term) ?? node;
    this.#leaders.set(term, node);
    if (other !== node)
      this.#fail('one leader per term', `${other} and ${node} both lead in ${term}`);
    for (let index = this.committedIndex; index > logStart; index--) {
      const entry = this.#committed[index];
      if (entry === undefined || entry.byTerm >= term) continue;
      const own = termAt(index);
      // By log matching the ones before are the same if this one is.
      if (own === entry.term) return;
      this.#fail(
        'leader completeness',
        `${node} leads in term ${term}, but has ${own === undefined ? 'nothing' : `${own}/${index}`} where ${entry.node} had applied ${entry.term}/${index} by term ${entry.byTerm}`,
      );
    }
  }

  /** A leader of `term` has moved its commit index to an entry of `entryTerm` (Raft §5.4.2). */
  leaderCommitted(node: string, term: number, index: number, entryTerm: number | undefined): void {
    if (entryTerm === undefined || entryTerm === term) return;
    this.#fail(
      'commit by counting',
      `${node}, leader of term ${term}, committed up to ${entryTerm}/${index}, which is not its own`,
    );
  }

  /** A node has put an entry into its log, behind one of `previousTerm`. */
  appended(node: string, entry: SeenEntry, previousTerm: number | undefined): void {
    if (previousTerm === undefined) return;
    const name = `${entry.term}/${entry.index}`;
    const known = this.#entries.get(name);
    if (known === undefined) {
      this.#entries.set(name, { digest: entry.digest, previousTerm });
      return;
    }
    if (known.digest !== entry.digest)
      this.#fail('log matching', `${node} has another entry ${name} than others`);
    if (known.previousTerm !== previousTerm)
      this.#fail(
        'log matching',
        `${name} follows an entry of term ${known.previousTerm}, but on ${node} one of ${previousTerm}`,
      );
  }

  /** The round that held an entry is on this node's disk. */
  synced(node: string, index: number, term: number): void {
    const terms = this.#synced[index] ?? new Map<string, number>();
    this.#synced[index] = terms.set(node, term);
  }

  /** This node's log begins anew after `index`: what was before is in its tables, and what followed is void. */
  beginsAfter(node: string, index: number): void {
    for (const terms of this.#synced) terms?.delete(node);
    this.#starts.set(node, index);
  }

  /** A node with this term has applied an entry; so many nodes must have had it on their disks. */
  applied(
    node: string,
    entry: SeenEntry,
    { term, effect, quorum }: { term: number; effect: number; quorum: number },
  ): void {
    const name = `${entry.term}/${entry.index}`;
    if (!this.#hasSynced(node, entry))
      this.#fail('durable before committed', `${node} applied ${name} before it had synced it`);
    const before = this.#committed[entry.index];
    if (before === undefined) {
      this.#committed[entry.index] = { ...entry, byTerm: term, effect, node };
      this.#checkSynced(node, entry, quorum);
      return;
    }
    if (before.term !== entry.term || before.digest !== entry.digest)
      this.#fail(
        'state machine safety',
        `${node} applied ${name} where ${before.node} had applied ${before.term}/${entry.index}`,
      );
    if (before.effect !== effect)
      this.#fail(
        'state machine safety',
        `${name} came to something else on ${node} than on ${before.node}`,
      );
    if (term < before.byTerm) this.#committed[entry.index] = { ...before, byTerm: term };
  }

  #checkSynced(node: string, entry: SeenEntry, quorum: number): void {
    const { index, term } = entry;
    const nodes = new Set([...(this.#synced[index]?.keys() ?? []), ...this.#starts.keys()]);
    const count = [...nodes].filter((other) => this.#hasSynced(other, entry)).length;
    if (count >= quorum) return;
    this.#fail(
      'durable before committed',
      `${node} applied ${term}/${index}, which ${count} nodes had synced, not ${quorum}`,
    );
  }

  #hasSynced(node: string, { index, term }: SeenEntry): boolean {
    return this.#synced[index]?.get(node) === term || (this.#starts.get(node) ?? 0) >= index;
  }

  #fail(property: Violation['property'], message: string): never {
    throw new Violation(property, `group ${this.#group}: ${message}`);
  }
}
