import type { DataPlane, Watch, WatchedValue } from './data-plane.ts';
import type { SubscribePacket, SubscribeRequest } from './subscribe-packet.ts';
import { type FilterUse, filtersOverlap, filterUse } from './topics.ts';
import type { ValueOutbox } from './value-outbox.ts';

export const SUBACK_REFUSED = 0x80;
/** With more watches than this versions are guarded without looking whether they overlap. */
const OVERLAP_CHECK_MAX = 100;

interface Subscription {
  readonly use: FilterUse;
  /** At which our own deliveries leave. */
  readonly qos: 0 | 1;
  watch: Watch | undefined;
  open: boolean;
}

export type Mailbox = 'replies' | 'errors';

interface Awaiting {
  readonly requests: readonly SubscribeRequest[];
  readonly cancelled: Set<string>;
  granted: ReadonlyMap<string, number>;
}

/**
 * What one connection has subscribed to, as far as it concerns us: values (each filter has a watch), answers
 * and errors. The session keeps the subscriptions as well: for ordinary topics and for its next connection.
 */
export class Subscriptions {
  readonly #dataPlane: DataPlane;
  readonly #outbox: ValueOutbox;
  readonly #isBridge: boolean;
  readonly #byFilter = new Map<string, Subscription>();
  /** SUBSCRIBEs on their way through the session, by packet id, oldest first. */
  readonly #awaiting = new Map<number, Awaiting[]>();
  #deferred: { readonly mailbox: Mailbox; readonly send: (qos: 0 | 1) => void }[] = [];
  #restored: readonly SubscribeRequest[] = [];
  #watches = 0;
  #guarded = false;

  constructor(options: { dataPlane: DataPlane; outbox: ValueOutbox; isBridge: boolean }) {
    this.#dataPlane = options.dataPlane;
    this.#outbox = options.outbox;
    this.#isBridge = options.isBridge;
  }

  /**
   * Sends something to this connection's `dss/reply/me` or `dss/error/me` if it has subscribed to that. A
   * client may subscribe and ask in one breath: while the subscription is on its way the answer waits.
   */
  sendTo(mailbox: Mailbox, send: (qos: 0 | 1) => void): void {
    let highest: 0 | 1 | undefined;
    for (const { use, qos } of this.#byFilter.values()) {
      if (use[mailbox] && (highest === undefined || qos > highest)) highest = qos;
    }
    if (highest !== undefined) send(highest);
    else if (this.#isAwaited(mailbox)) this.#deferred.push({ mailbox, send });
  }

  /** A SUBSCRIBE passes on its way to the session. */
  requested(packet: SubscribePacket): void {
    const awaiting = this.#awaiting.get(packet.packetId) ?? [];
    awaiting.push({ requests: packet.requests, cancelled: new Set(), granted: new Map() });
    this.#awaiting.set(packet.packetId, awaiting);
  }

  /**
   * The session's return codes come back. aedes answers a filter that occurs twice only once; the client
   * expects one code per filter [MQTT-3.8.4-5]. In our topics at most QoS 1 is granted.
   */
  granted(packetId: number, codes: Uint8Array): Uint8Array {
    const awaiting = this.#awaiting.get(packetId)?.[0];
    if (awaiting === undefined) return codes;
    const filters = [...new Set(awaiting.requests.map((request) => request.filter))];
    awaiting.granted = new Map(
      filters.map((filter, i) => [filter, grantedQos(filter, codes[i] ?? SUBACK_REFUSED)]),
    );
    return Uint8Array.from(
      awaiting.requests.map(({ filter }) => awaiting.granted.get(filter) ?? SUBACK_REFUSED),
    );
  }

  /** The SUBACK is on its way: what was granted begins, a filter that was there already afresh. */
  begin(packetId: number): void {
    const queue = this.#awaiting.get(packetId);
    const awaiting = queue?.shift();
    if (queue?.length === 0) this.#awaiting.delete(packetId);
    if (awaiting === undefined) return;
    for (const [filter, qos] of awaiting.granted) {
      if (qos !== SUBACK_REFUSED && !awaiting.cancelled.has(filter)) this.#open(filter, qos);
    }
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { mailbox, send } of deferred) this.sendTo(mailbox, send);
  }

  /** An UNSUBSCRIBE passes. It also ends what an earlier SUBSCRIBE has asked for but not got yet. */
  unsubscribed(filters: readonly string[]): void {
    for (const filter of filters) {
      this.#close(filter);
      for (const queue of this.#awaiting.values()) {
        for (const awaiting of queue) awaiting.cancelled.add(filter);
      }
    }
  }

  /** What the session brings along; begins with `beginRestored`. */
  restored(subscriptions: readonly SubscribeRequest[]): void {
    this.#restored = subscriptions;
  }

  /** The CONNACK is on its way. */
  beginRestored(): void {
    for (const { filter, qos } of this.#restored) this.#open(filter, qos);
    this.#restored = [];
  }

  close(): void {
    for (const filter of [...this.#byFilter.keys()]) this.#close(filter);
    this.#awaiting.clear();
    this.#deferred = [];
  }

  #open(filter: string, grantedQos: number): void {
    const use = filterUse(filter);
    if (use.refusal !== undefined) return;
    this.#close(filter);
    if (use.keys === undefined && !use.replies && !use.errors) return;
    const qos = grantedQos > 0 ? 1 : 0;
    const subscription: Subscription = { use, qos, watch: undefined, open: true };
    if (use.keys !== undefined) this.#guardVersions(use.keys);
    this.#byFilter.set(filter, subscription);
    if (use.keys !== undefined) this.#watch(use.keys, subscription);
  }

  #watch(keys: string, subscription: Subscription): void {
    this.#watches += 1;
    const { qos } = subscription;
    const watch = this.#dataPlane.watch(keys, {
      value: (item) => {
        if (!subscription.open) return undefined;
        return this.#outbox.value(item, { qos, retain: this.#retain(item) });
      },
      snapshotDone: () => {},
    });
    // A full outbox may have closed the connection while the watch began.
    if (subscription.open) subscription.watch = watch;
    else watch.close();
  }

  /**
   * Current values come retained, changes do not [MQTT-3.3.1-8] [MQTT-3.3.1-9]. A bridge gets everything
   * retained, deletes too: its broker is to keep what we keep.
   */
  #retain(item: WatchedValue): boolean {
    return this.#isBridge || (item.snapshot && !item.deleted);
  }

  #guardVersions(keys: string): void {
    if (this.#guarded) return;
    this.#guarded =
      this.#watches > OVERLAP_CHECK_MAX ||
      [...this.#byFilter.values()].some(
        ({ use }) => use.keys !== undefined && filtersOverlap(use.keys, keys),
      );
    if (this.#guarded) this.#outbox.guardVersions(true);
  }

  #close(filter: string): void {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined) return;
    this.#byFilter.delete(filter);
    subscription.open = false;
    subscription.watch?.close();
    if (subscription.use.keys === undefined) return;
    this.#watches -= 1;
    // Not sooner: what a watch that is gone has sent must not be undercut by one that lags behind.
    if (this.#watches === 0 && this.#guarded) {
      this.#guarded = false;
      this.#outbox.guardVersions(false);
    }
  }

  #isAwaited(mailbox: Mailbox): boolean {
    for (const queue of this.#awaiting.values()) {
      for (const { requests } of queue) {
        if (requests.some(({ filter }) => filterUse(filter)[mailbox])) return true;
      }
    }
    return false;
  }
}

function grantedQos(filter: string, code: number): number {
  if (code === SUBACK_REFUSED || !filterUse(filter).ours) return code;
  return Math.min(code, 1);
}
