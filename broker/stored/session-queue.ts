import type { QueuedMessage } from '../ordinary/store.ts';

/** A message as it stands in a queue. */
export interface Place {
  readonly queued: QueuedMessage;
  readonly bytes: number;
  /** Lower ones come first: the version that it was stored with first. Infinity: it is not stored yet. */
  readonly order: number;
}

/** By message id; undefined: it is taken out. */
type Changes = Map<string, Place | undefined>;

/** What was queued here that the store may not have yet, and what is known of the rest. */
export class SessionQueue {
  /** Messages in the store that are older than this version belong to a session that is over. */
  endedBefore = 0;
  /** Not known to be stored. */
  readonly #pending: Changes = new Map();
  /** For each list that is under way, what it may not show. */
  readonly #unlisted = new Set<Changes>();
  /** What stood in the queue when it was read here, or was added while its client was, and is not taken out. */
  readonly #known = new Map<string, { bytes: number; order: number }>();
  #count = 0;
  #bytes = 0;

  /** The store has all of it. */
  get isStored(): boolean {
    return this.#pending.size === 0;
  }

  /** Nothing is lost if it is forgotten. */
  get isIdle(): boolean {
    const isQuiet = this.isStored && this.#unlisted.size === 0;
    return isQuiet && this.endedBefore === 0 && this.#count === 0 && this.#known.size === 0;
  }

  /** Whether there is room for one more of this size, or in place of the one with this id. */
  hasRoomFor(id: string, bytes: number, limits: { count: number; bytes: number }): boolean {
    const replaced = this.#placed(id);
    const count = this.#count + (replaced === undefined ? 1 : 0);
    return count <= limits.count && this.#bytes + bytes - (replaced?.bytes ?? 0) <= limits.bytes;
  }

  /** The place that a message has already; 0: none. */
  orderOf(id: string): number {
    const order = this.#known.get(id)?.order ?? 0;
    return Number.isFinite(order) ? order : 0;
  }

  /** `isHere`: this node delivers, and will say that it is to be taken out. */
  put(queued: QueuedMessage, bytes: number, { isHere }: { readonly isHere: boolean }): Place {
    const { id } = queued.message;
    const replaced = this.#placed(id);
    const place = { queued, bytes, order: replaced?.order ?? Number.POSITIVE_INFINITY };
    this.#count += replaced === undefined ? 1 : 0;
    this.#bytes += bytes - (replaced?.bytes ?? 0);
    const known = this.#known.get(id);
    if (known !== undefined) known.bytes = bytes;
    else if (isHere) this.#known.set(id, { bytes, order: place.order });
    this.#change(id, place);
    return place;
  }

  /** Whether there is such a message, as far as this node knows. */
  has(id: string): boolean {
    return this.#placed(id) !== undefined;
  }

  takeOut(id: string): void {
    this.#uncount(id);
    this.#change(id, undefined);
  }

  /** What `put` or `takeOut` have done last is in the store now. */
  stored(id: string, place: Place | undefined, version: number): void {
    if (this.#pending.get(id) === place) this.#pending.delete(id);
    const known = this.#known.get(id);
    if (known?.order === Number.POSITIVE_INFINITY && version > 0) known.order = version;
  }

  /** It will never be. */
  lost(id: string, place: Place | undefined): void {
    if (this.#pending.get(id) !== place || !this.#pending.has(id)) return;
    this.#uncount(id);
    this.#pending.delete(id);
    for (const changes of this.#unlisted) changes.delete(id);
  }

  /** Call it before a list is asked for, and `merged` with what it is. */
  startReading(): Changes {
    const changes = new Map(this.#pending);
    this.#unlisted.add(changes);
    return changes;
  }

  /** The queue, oldest first. `listed` undefined: nobody could tell. */
  merged(changes: Changes, listed: readonly Place[] | undefined): readonly QueuedMessage[] {
    this.#unlisted.delete(changes);
    const places = new Map((listed ?? []).map((place) => [place.queued.message.id, place]));
    for (const [id, place] of changes) {
      const order = places.get(id)?.order;
      if (place === undefined) places.delete(id);
      else places.set(id, order === undefined ? place : { ...place, order });
    }
    if (listed !== undefined) this.#know(places);
    return [...places.values()].sort(byOrder).map(({ queued }) => queued);
  }

  /** Somebody else sees to what is queued from here on: what this node has added counts no more. */
  forget(): void {
    this.#known.clear();
    this.#count = 0;
    this.#bytes = 0;
  }

  /** Ids matter only to the node that delivers. What counts is how much there is. */
  forgetIds(): void {
    this.#known.clear();
  }

  end(): void {
    this.forget();
    this.endedBefore = Number.POSITIVE_INFINITY;
    this.#pending.clear();
    for (const changes of this.#unlisted) changes.clear();
  }

  #know(places: ReadonlyMap<string, Place>): void {
    this.forget();
    for (const [id, { bytes, order }] of places) {
      this.#known.set(id, { bytes, order });
      this.#count += 1;
      this.#bytes += bytes;
    }
  }

  #placed(id: string): { readonly bytes: number; readonly order: number } | undefined {
    return this.#known.get(id) ?? this.#pending.get(id);
  }

  #uncount(id: string): void {
    const placed = this.#placed(id);
    if (placed === undefined) return;
    this.#known.delete(id);
    this.#count = Math.max(0, this.#count - 1);
    this.#bytes = Math.max(0, this.#bytes - placed.bytes);
  }

  #change(id: string, place: Place | undefined): void {
    for (const changes of [this.#pending, ...this.#unlisted]) {
      changes.delete(id);
      changes.set(id, place);
    }
  }
}

function byOrder(a: Place, b: Place): number {
  return a.order === b.order ? 0 : a.order - b.order;
}
