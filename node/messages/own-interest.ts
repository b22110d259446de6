import type { Interest } from '../../broker/ordinary/peers.ts';
import type { peers } from '../../protos/index.ts';

const PART_BYTES_MAX = 256 * 1024;

/** Names an interest among all of one node. */
export function interestKey({ group, filter, clientId }: Interest): string {
  return `${group}/${filter}\0${clientId}`;
}

/** A part of a set, or some changes, ready to be sent. */
export type InterestNews =
  | { readonly kind: 'set'; readonly bytes: number; readonly set: peers.InterestSet.$Properties }
  | {
      readonly kind: 'changes';
      readonly bytes: number;
      readonly changes: peers.InterestChanges.$Properties;
    };

/**
 * What the clients of this node want. Every change has a number, so that another node that missed one knows it, and
 * asks for the whole set; the empty set of the beginning has number 1.
 */
export class OwnInterest {
  number = 1;
  readonly #held = new Map<string, { readonly interest: Interest; count: number }>();
  /** Changes that nobody was told of yet; the last of them has `number`. */
  #untold: peers.Interest.$Properties[] = [];

  /** True: it is new. */
  announce(interest: Interest): boolean {
    const key = interestKey(interest);
    const held = this.#held.get(key);
    if (held !== undefined) {
      held.count += 1;
      return false;
    }
    this.#held.set(key, { interest, count: 1 });
    this.#change({ ...interest, withdrawn: false });
    return true;
  }

  /** True: nobody has it any more. */
  withdraw(interest: Interest): boolean {
    const key = interestKey(interest);
    const held = this.#held.get(key);
    if (held === undefined) return false;
    held.count -= 1;
    if (held.count > 0) return false;
    this.#held.delete(key);
    this.#change({ ...interest, withdrawn: true });
    return true;
  }

  has(interest: Interest): boolean {
    return this.#held.has(interestKey(interest));
  }

  get hasChanged(): boolean {
    return this.#untold.length > 0;
  }

  /** What has changed since this was called last. */
  takeChanges(): InterestNews[] {
    let after = this.number - this.#untold.length;
    const news: InterestNews[] = [];
    for (const { interests, bytes } of parts(this.#untold)) {
      news.push({ kind: 'changes', bytes, changes: { after, interests } });
      after += interests.length;
    }
    this.#untold = [];
    return news;
  }

  /** All of it, at least one part. */
  set(): InterestNews[] {
    const { number } = this;
    const all = [...parts([...this.#held.values()].map(({ interest }) => ({ ...interest })))];
    if (all.length === 0) all.push({ interests: [], bytes: 0 });
    return all.map(({ interests, bytes }, part) => {
      const last = part === all.length - 1;
      return { kind: 'set', bytes, set: { number, part, last, interests } };
    });
  }

  #change(change: peers.Interest.$Properties): void {
    this.number += 1;
    this.#untold.push(change);
  }
}

function* parts(interests: readonly peers.Interest.$Properties[]) {
  let part: peers.Interest.$Properties[] = [];
  let bytes = 0;
  for (const interest of interests) {
    const { group = '', filter = '', clientId = '' } = interest;
    const size = 3 * (group.length + filter.length + clientId.length) + 16;
    if (part.length > 0 && bytes + size > PART_BYTES_MAX) {
      yield { interests: part, bytes };
      part = [];
      bytes = 0;
    }
    part.push(interest);
    bytes += size;
  }
  if (part.length > 0) yield { interests: part, bytes };
}
