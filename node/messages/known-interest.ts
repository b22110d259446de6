import type { Interest } from '../../broker/ordinary/peers.ts';
import type { peers } from '../../protos/index.ts';
import { interestKey } from './own-interest.ts';

/** Learns what one other node wants, and says what is new in it. */
export class KnownInterest {
  /** Of the last change that is in it; 0: nothing is known. */
  number = 0;
  readonly #held = new Map<string, Interest>();
  readonly #onAdded: (interest: Interest) => void;
  readonly #onRemoved: (interest: Interest) => void;
  /** A set of which not all parts have come. */
  #arriving: { readonly number: number; readonly parts: Interest[][] } | undefined;

  constructor(options: {
    readonly onAdded: (interest: Interest) => void;
    readonly onRemoved: (interest: Interest) => void;
  }) {
    this.#onAdded = options.onAdded;
    this.#onRemoved = options.onRemoved;
  }

  /** What held up to now holds until the last part is there. */
  learnSet({ number, part, last, interests }: peers.InterestSet): void {
    if (part === 0) this.#arriving = { number, parts: [] };
    const arriving = this.#arriving;
    if (arriving?.number !== number || arriving.parts.length !== part) {
      this.#arriving = undefined;
      return;
    }
    arriving.parts.push(interests.map(interestOf));
    if (last) this.#replace(number, arriving.parts.flat());
  }

  /** Changes that come again, or with a gap before them, change nothing. */
  learnChanges({ after, interests }: peers.InterestChanges): void {
    if (this.number === 0 || after > this.number) return;
    for (const wire of interests.slice(this.number - after)) {
      const interest = interestOf(wire);
      if (wire.withdrawn === true) this.#remove(interest);
      else this.#add(interest);
      this.number += 1;
    }
  }

  forget(): void {
    this.#replace(0, []);
  }

  #replace(number: number, interests: readonly Interest[]): void {
    this.#arriving = undefined;
    this.number = number;
    const kept = new Set(interests.map(interestKey));
    for (const [key, interest] of this.#held) if (!kept.has(key)) this.#remove(interest);
    for (const interest of interests) this.#add(interest);
  }

  #add(interest: Interest): void {
    const key = interestKey(interest);
    if (this.#held.has(key)) return;
    this.#held.set(key, interest);
    this.#onAdded(interest);
  }

  #remove(interest: Interest): void {
    if (this.#held.delete(interestKey(interest))) this.#onRemoved(interest);
  }
}

export function interestOf({ group = '', filter = '', clientId = '' }: peers.Interest.$Properties) {
  return { group: group ?? '', filter: filter ?? '', clientId: clientId ?? '' };
}
