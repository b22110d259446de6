import type { Interest } from '../../broker/ordinary/peers.ts';
import { TopicTree } from '../../broker/ordinary/topic-tree.ts';
import { murmur3 } from '../../lsm/hash/murmur3.ts';

/** A member of a shared subscription, on this node or another. */
export interface Member<Holder> {
  readonly clientId: string;
  readonly holder: Holder;
  /** For rendezvous. */
  readonly hash: number;
}

export interface SharedGroup<Holder> {
  readonly group: string;
  readonly filter: string;
  readonly members: Member<Holder>[];
  /** Whose turn it is. */
  next: number;
}

const HASH_SEED = 0;

/** The shared subscriptions of the whole cluster with their members, wherever they are (MQTT 5 §4.8.2). */
export class SharedGroups<Holder> {
  readonly #byName = new Map<string, SharedGroup<Holder>>();
  readonly #tree = new TopicTree<SharedGroup<Holder>>();
  readonly #isAvailable: (holder: Holder) => boolean;

  constructor(isAvailable: (holder: Holder) => boolean) {
    this.#isAvailable = isAvailable;
  }

  add({ group, filter, clientId }: Interest, holder: Holder): void {
    const shared = this.find(group, filter) ?? this.#create(group, filter);
    shared.members.push({ clientId, holder, hash: hashOf(clientId) });
  }

  remove({ group, filter, clientId }: Interest, holder: Holder): void {
    const shared = this.find(group, filter);
    const index = shared?.members.findIndex(
      (member) => member.holder === holder && member.clientId === clientId,
    );
    if (shared === undefined || index === undefined || index === -1) return;
    shared.members.splice(index, 1);
    if (index < shared.next) shared.next -= 1;
    if (shared.members.length > 0) return;
    this.#byName.delete(`${group}/${filter}`);
    this.#tree.delete(filter, shared);
  }

  find(group: string, filter: string): SharedGroup<Holder> | undefined {
    return this.#byName.get(`${group}/${filter}`);
  }

  match(topic: string, visit: (shared: SharedGroup<Holder>) => void): void {
    this.#tree.match(topic, visit);
  }

  hasMember({ members }: SharedGroup<Holder>): boolean {
    return members.some(({ holder }) => this.#isAvailable(holder));
  }

  /** Members in turn; who cannot be reached is passed over. */
  pick(shared: SharedGroup<Holder>): Member<Holder> | undefined {
    const { members } = shared;
    for (let tried = 0; tried < members.length; tried++) {
      const member = members[shared.next % members.length] as Member<Holder>;
      shared.next = (shared.next + 1) % members.length;
      if (this.#isAvailable(member.holder)) return member;
    }
    return undefined;
  }

  /**
   * Rendezvous hashing (Thaler and Ravishankar, 1998): when a member comes or goes, only what it gets or got is
   * anybody else's.
   */
  memberOf(group: string, filter: string, key: string): string | undefined {
    const keyHash = hashOf(key);
    let best: string | undefined;
    let bestScore = -1;
    for (const { clientId, holder, hash } of this.find(group, filter)?.members ?? []) {
      if (!this.#isAvailable(holder)) continue;
      const score = mix(keyHash ^ hash);
      if (score < bestScore || (score === bestScore && clientId <= (best ?? ''))) continue;
      best = clientId;
      bestScore = score;
    }
    return best;
  }

  #create(group: string, filter: string): SharedGroup<Holder> {
    const shared = { group, filter, members: [], next: 0 };
    this.#byName.set(`${group}/${filter}`, shared);
    this.#tree.add(filter, shared);
    return shared;
  }
}

function hashOf(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return murmur3(bytes, 0, bytes.length, HASH_SEED);
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the output. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
