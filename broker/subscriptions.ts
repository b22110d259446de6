import { type Access, maySubscribe } from './access.ts';
import type { BulkPace } from './bulk-pace.ts';
import type { DataPlane, Watch, WatchedValue } from './data-plane.ts';
import { KeyFilter } from './key-filter.ts';
import { LazyMap } from './lazy-map.ts';
import { LazySet } from './lazy-set.ts';
import type { BrokerLimits } from './limits.ts';
import type { Grant } from './packet-writer.ts';
import { forbiddenToRead } from './permissions.ts';
import { Places } from './places.ts';
import type { Refusal, RefusalCode } from './refusals.ts';
import type { SubscribePacket, SubscribeRequest, UnsubscribePacket } from './subscribe-packet.ts';
import { type FilterUse, filterUse, SNAPSHOT_TO_ME, type ValueForm } from './topics.ts';
import type { ValueOutbox } from './value-outbox.ts';

/** How a session says that it does not grant a filter. */
const SUBACK_REFUSED = 0x80;
/** With more watches than this versions are guarded without looking whether they overlap. */
const OVERLAP_CHECK_MAX = 100;
const NO_IDENTIFIERS: readonly number[] = [];
const SNAPSHOT_TOPIC: Uint8Array = new TextEncoder().encode(SNAPSHOT_TO_ME);

interface Subscription {
  readonly use: FilterUse;
  /** What it sees of values; undefined: nothing. */
  readonly keys: KeyFilter | undefined;
  /** At which our own deliveries leave. */
  qos: 0 | 1;
  /** As it was asked for last. */
  request: SubscribeRequest;
  watch: Watch | undefined;
  open: boolean;
}

/** What is said to one client alone: answers to its requests, what was refused, which snapshots it has. */
type MailKind = 'replies' | 'errors' | 'snapshots';

interface Awaiting {
  readonly requests: readonly SubscribeRequest[];
  readonly claimed: readonly string[];
  readonly refused: ReadonlyMap<string, Refusal>;
  readonly cancelled: Set<string>;
  granted: ReadonlyMap<string, Grant>;
}

/**
 * What one connection has subscribed to, as far as it concerns us: values (each filter has a watch), answers
 * and errors. The session keeps the subscriptions as well: for ordinary topics and for its next connection.
 */
export class Subscriptions {
  readonly #dataPlane: DataPlane;
  readonly #outbox: ValueOutbox;
  readonly #pace: BulkPace;
  readonly #access: Access;
  readonly #isBridge: boolean;
  readonly #topicLevelsMax: number;
  readonly #isPickedFor: (group: string, filter: string, key: Uint8Array) => boolean;
  readonly #byFilter = new LazyMap<string, Subscription>();
  /** All filters that are granted, those of ordinary topics as well. */
  readonly #granted = new LazySet<string>();
  /** UNSUBSCRIBEs on their way through the session, by packet id, oldest first: what of each was there. */
  readonly #ending = new LazyMap<number, (readonly boolean[])[]>();
  /** SUBSCRIBEs on their way through the session, by packet id, oldest first. */
  readonly #awaiting = new LazyMap<number, Awaiting[]>();
  #deferred: { readonly kind: MailKind; readonly send: (qos: 0 | 1) => void }[] = [];
  #watches = 0;
  #guarded = false;
  /** Filters that are granted, or on their way to be. */
  readonly #places: Places;
  /** Those of them that have a watch. */
  readonly #watchPlaces: Places;
  /** Refused for that since the last time nothing was on its way. */
  readonly #overLimit = new LazySet<string>();

  constructor(options: {
    dataPlane: DataPlane;
    outbox: ValueOutbox;
    pace: BulkPace;
    access: Access;
    isBridge: boolean;
    limits: Pick<BrokerLimits, 'watchesMax' | 'subscriptionsMax' | 'topicLevelsMax'>;
    /** Whether a change of a key is for this client, of all members of a shared subscription. */
    isPickedFor: (group: string, filter: string, key: Uint8Array) => boolean;
  }) {
    this.#dataPlane = options.dataPlane;
    this.#outbox = options.outbox;
    this.#pace = options.pace;
    this.#access = options.access;
    this.#isBridge = options.isBridge;
    const { watchesMax, subscriptionsMax, topicLevelsMax } = options.limits;
    this.#places = new Places(subscriptionsMax);
    this.#watchPlaces = new Places(watchesMax);
    this.#topicLevelsMax = topicLevelsMax;
    this.#isPickedFor = options.isPickedFor;
  }

  /**
   * Sends something to this connection's `dss/reply/me` or `dss/error/me` if it has subscribed to that. A
   * client may subscribe and ask in one breath: while the subscription is on its way the answer waits.
   */
  sendMail(kind: MailKind, send: (qos: 0 | 1) => void): void {
    let highest: 0 | 1 | undefined;
    for (const { use, qos } of this.#byFilter.values()) {
      if (use[kind] && (highest === undefined || qos > highest)) highest = qos;
    }
    if (highest !== undefined) send(highest);
    else if (this.#isAwaited(kind)) this.#deferred.push({ kind, send });
  }

  /** Whether something waits for a subscription that is on its way. */
  get holdsMail(): boolean {
    return this.#deferred.length > 0;
  }

  /** Whether a SUBSCRIBE is on its way through the session. */
  get isAwaiting(): boolean {
    return this.#awaiting.size > 0;
  }

  /** A SUBSCRIBE passes on its way to the session. Returns what of it is refused. */
  requested(packet: SubscribePacket): readonly Refusal[] {
    const filters = new Set(packet.requests.map(({ filter }) => filter));
    const refused = new Map<string, Refusal>();
    const claimed: string[] = [];
    for (const filter of filters) {
      const refusal = this.#refusal(filter) ?? this.#claim(filter);
      if (refusal === undefined) claimed.push(filter);
      else refused.set(filter, refusal);
    }
    const awaiting = this.#awaiting.get(packet.packetId) ?? [];
    const { requests } = packet;
    awaiting.push({ requests, claimed, refused, cancelled: new Set(), granted: new Map() });
    this.#awaiting.set(packet.packetId, awaiting);
    return [...refused.values()];
  }

  /** Whether the session is to grant a filter: asked once it gets there, after `requested`. */
  mayGrant(filter: string): boolean {
    return this.#refusal(filter) === undefined && !this.#overLimit.has(filter);
  }

  /**
   * The session's return codes come back. aedes answers a filter that occurs twice only once; the client
   * expects one code per filter [MQTT-3.8.4-5]. In our topics at most QoS 1 is granted.
   */
  granted(packetId: number, codes: Uint8Array): readonly Grant[] {
    const awaiting = this.#awaiting.get(packetId)?.[0];
    if (awaiting === undefined) return [];
    const filters = [...new Set(awaiting.requests.map((request) => request.filter))];
    const { refused } = awaiting;
    awaiting.granted = new Map(
      filters.map((filter, i) => [filter, grantOf(filter, codes[i], refused.get(filter))]),
    );
    return awaiting.requests.map(({ filter, qos }) => {
      const grant = awaiting.granted.get(filter) as Grant;
      return typeof grant === 'number' ? grantOf(filter, qos, undefined) : grant;
    });
  }

  /**
   * The SUBACK is on its way: what was granted begins, a filter that was there already afresh. Returns the filters.
   */
  begin(packetId: number): readonly string[] {
    const queue = this.#awaiting.get(packetId);
    const awaiting = queue?.shift();
    if (queue?.length === 0) this.#awaiting.delete(packetId);
    if (awaiting === undefined) return [];
    const begun: string[] = [];
    // The last of several with the same filter counts, as in the session.
    for (const request of new Map(awaiting.requests.map((each) => [each.filter, each])).values()) {
      const { filter } = request;
      const grant = awaiting.granted.get(filter);
      if (typeof grant !== 'number' || awaiting.cancelled.has(filter)) continue;
      this.#open({ ...request, qos: grant });
      begun.push(filter);
    }
    for (const filter of awaiting.claimed) this.#release(filter);
    if (this.#awaiting.size === 0) this.#overLimit.clear();
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { kind, send } of deferred) this.sendMail(kind, send);
    return begun;
  }

  /** An UNSUBSCRIBE passes. It also ends what an earlier SUBSCRIBE has asked for but not got yet. */
  unsubscribed({ packetId, filters }: UnsubscribePacket): void {
    const existed = filters.map((filter) => {
      const isAwaited = this.#cancel(filter);
      this.#close(filter);
      const isGranted = this.#granted.delete(filter);
      if (isGranted) this.#places.release(filter);
      return isGranted || isAwaited;
    });
    const ending = this.#ending.get(packetId) ?? [];
    ending.push(existed);
    this.#ending.set(packetId, ending);
  }

  /** The UNSUBACK comes: which of the filters had a subscription. */
  ended(packetId: number): readonly boolean[] {
    const ending = this.#ending.get(packetId);
    const existed = ending?.shift() ?? [];
    if (ending?.length === 0) this.#ending.delete(packetId);
    return existed;
  }

  /** The CONNACK is on its way: what the session brings along begins. */
  restore(subscriptions: Iterable<SubscribeRequest>): void {
    for (const request of subscriptions) this.#open(request);
  }

  close(): void {
    for (const filter of [...this.#byFilter.keys()]) this.#close(filter);
    this.#awaiting.clear();
    this.#deferred = [];
  }

  /** What was asked for and is not granted yet is not to begin. Returns whether there was anything. */
  #cancel(filter: string): boolean {
    let isAwaited = false;
    for (const queue of this.#awaiting.values()) {
      for (const { requests, refused, cancelled } of queue) {
        isAwaited ||=
          !refused.has(filter) &&
          !cancelled.has(filter) &&
          requests.some((request) => request.filter === filter);
        cancelled.add(filter);
      }
    }
    return isAwaited;
  }

  #open(request: SubscribeRequest): void {
    const { filter } = request;
    const use = filterUse(filter);
    if (this.#refusal(filter) !== undefined) return;
    const isNew = !this.#granted.has(filter);
    if (isNew) this.#places.take(filter);
    this.#granted.add(filter);
    const qos = request.qos > 0 ? 1 : 0;
    const earlier = this.#byFilter.get(filter);
    if (earlier !== undefined && request.retainHandling > 0) {
      // The watch goes on, so that no change is missed that a new one's snapshot would have had.
      earlier.qos = qos;
      earlier.request = request;
      return;
    }
    this.#close(filter);
    const wanted = this.#keysOf(use);
    const keys = wanted === undefined ? undefined : new KeyFilter(wanted);
    if (keys === undefined && !use.replies && !use.errors && !use.snapshots) return;
    const subscription: Subscription = { use, keys, qos, request, watch: undefined, open: true };
    if (keys !== undefined) this.#guardVersions(keys, use.form);
    this.#byFilter.set(filter, subscription);
    if (keys === undefined) return;
    this.#watchPlaces.take(filter);
    const { retainHandling } = request;
    const wantsSnapshot = retainHandling === 0 || (retainHandling === 1 && isNew);
    this.#watch(keys, subscription, { wantsSnapshot });
  }

  #watch(
    keys: KeyFilter,
    subscription: Subscription,
    { wantsSnapshot }: { readonly wantsSnapshot: boolean },
  ): void {
    this.#watches += 1;
    const { form, group } = subscription.use;
    const access = this.#access;
    const isChecked = access.readable(keys.text) !== 'all';
    const watch = this.#dataPlane.watch(keys.text, {
      value: (item) => {
        if (!subscription.open || (group !== '' && !this.#isMine(subscription.use, item))) {
          return undefined;
        }
        const isHidden = isChecked && !access.mayReadKey(item.key, 0, item.key.length);
        if (isHidden || (item.snapshot && !wantsSnapshot)) {
          // To look for what may be read among very much else is work, too.
          return item.snapshot ? this.#pace.take() : undefined;
        }
        const { qos, request } = subscription;
        const identifiers = request.identifier === 0 ? NO_IDENTIFIERS : [request.identifier];
        const retain = this.#retain(item, request);
        return this.#outbox.value(item, { form, qos, retain, identifiers });
      },
      snapshotDone: () => {
        if (subscription.open && wantsSnapshot) this.#snapshotSent(subscription.request.filter);
      },
    });
    // A full outbox may have closed the connection while the watch began.
    if (subscription.open) subscription.watch = watch;
    else watch.close();
  }

  /** After its values, as everything that this connection is sent leaves in one order. */
  #snapshotSent(filter: string): void {
    const payload = Buffer.from(JSON.stringify({ filter }));
    this.sendMail('snapshots', (qos) => this.#outbox.message(SNAPSHOT_TOPIC, payload, qos));
  }

  /**
   * Current values come retained, changes do not [MQTT-3.3.1-8] [MQTT-3.3.1-9]. A bridge, which in MQTT 5 asks for
   * the flag as it was published, gets everything retained, deletes too: its broker is to keep what we keep.
   */
  #retain(item: WatchedValue, { retainAsPublished }: SubscribeRequest): boolean {
    return this.#isBridge || retainAsPublished || (item.snapshot && !item.deleted);
  }

  /** Of a shared subscription: changes only, and of each key they go to one member. */
  #isMine({ group, filter }: FilterUse, { snapshot, key }: WatchedValue): boolean {
    return !snapshot && this.#isPickedFor(group, filter, key);
  }

  #guardVersions(keys: KeyFilter, form: ValueForm): void {
    if (this.#guarded) return;
    this.#guarded =
      this.#watches > OVERLAP_CHECK_MAX ||
      [...this.#byFilter.values()].some(
        ({ use, keys: others }) => use.form === form && others?.overlaps(keys),
      );
    if (this.#guarded) this.#outbox.guardVersions(true);
  }

  #close(filter: string): void {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined) return;
    this.#byFilter.delete(filter);
    subscription.open = false;
    subscription.watch?.close();
    if (subscription.keys === undefined) return;
    this.#watchPlaces.release(filter);
    this.#watches -= 1;
    // Not sooner: what a watch that is gone has sent must not be undercut by one that lags behind.
    if (this.#watches === 0 && this.#guarded) {
      this.#guarded = false;
      this.#outbox.guardVersions(false);
    }
  }

  /** Why a filter is answered with 0x80, however many there are. */
  #refusal(filter: string): Refusal | undefined {
    const use = filterUse(filter);
    if (use.refusal !== undefined) return { ...use.refusal, topic: filter };
    if (use.filter.split('/', this.#topicLevelsMax + 1).length > this.#topicLevelsMax) {
      const message = `a filter has at most ${this.#topicLevelsMax} levels`;
      return { code: 'INVALID_FILTER', message, topic: filter };
    }
    const access = this.#access;
    if (access.mayReadBelow('') || maySubscribe(access, use.filter)) return undefined;
    return { ...forbiddenToRead(access, filter), topic: filter };
  }

  /** Takes the places that the filter needs and does not have; a refusal if there is none left. */
  #claim(filter: string): Refusal | undefined {
    const tooMany = (code: RefusalCode, which: string): Refusal => {
      this.#overLimit.add(filter);
      return { code, message: `a connection has at most ${which}; use wildcards`, topic: filter };
    };
    if (!this.#places.hasRoomFor(filter)) {
      return tooMany('TOO_MANY_SUBSCRIPTIONS', `${this.#places.max} subscriptions`);
    }
    if (this.#needsWatch(filter)) {
      if (!this.#watchPlaces.hasRoomFor(filter)) {
        return tooMany('TOO_MANY_WATCHES', `${this.#watchPlaces.max} subscriptions to values`);
      }
      this.#watchPlaces.take(filter);
    }
    this.#places.take(filter);
    return undefined;
  }

  #release(filter: string): void {
    this.#places.release(filter);
    if (this.#needsWatch(filter)) this.#watchPlaces.release(filter);
  }

  #needsWatch(filter: string): boolean {
    return this.#keysOf(filterUse(filter)) !== undefined;
  }

  #keysOf({ keys }: FilterUse): string | undefined {
    return keys === undefined || this.#access.readable(keys) === 'none' ? undefined : keys;
  }

  #isAwaited(kind: MailKind): boolean {
    for (const queue of this.#awaiting.values()) {
      for (const { requests } of queue) {
        if (requests.some(({ filter }) => filterUse(filter)[kind])) return true;
      }
    }
    return false;
  }
}

function grantOf(filter: string, code: number | undefined, refusal: Refusal | undefined): Grant {
  if (refusal !== undefined) return refusal;
  if (code === undefined || code >= SUBACK_REFUSED) {
    return { code: 'NOT_ALLOWED', message: 'the session does not take this filter', topic: filter };
  }
  return (filterUse(filter).ours ? Math.min(code, 1) : code) as Grant;
}
