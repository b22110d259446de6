import type { DssError } from './errors.ts';
import type { Time } from './values.ts';

export interface ConnectOptions {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM: who signs the certificates of nodes. In Node.js; browsers have a store of their own. */
  readonly ca?: string | Uint8Array | undefined;
  /** PEM: the certificate of this client, and its key. In Node.js. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** How long an operation may take, reconnections included, where it does not say so itself. 30,000. */
  readonly timeoutMs?: number | undefined;
  /** How long `connect` tries all addresses until one lets it in; `Infinity`: for ever. 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** What the cluster knows this client by. Has to be its own; drawn if it is not given. */
  readonly clientId?: string | undefined;
  /**
   * Whether a write without a time of its own is sent again when its connection is lost before it was acknowledged.
   * Then it may be stored twice; otherwise it is rejected with `OUTCOME_UNKNOWN`. `true`.
   */
  readonly resend?: boolean | undefined;
  /** So many operations are under way at a time; more wait. 1,000. */
  readonly inFlightMax?: number | undefined;
  /** So many operations wait; more are rejected with `OVERLOADED`. 10,000. */
  readonly waitingMax?: number | undefined;
  /**
   * So many bytes of values wait for the reader of a watch. What comes beyond is dropped, and asked for again when the
   * reader has taken the rest. 64 MiB.
   */
  readonly watchBytesMax?: number | undefined;
  /** Closes the client, at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface Options {
  /** How long it may take, reconnections included; `Infinity`: any time. */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting: rejects with the signal's reason. A write that was sent may be carried out all the same. */
  readonly signal?: AbortSignal | undefined;
}

export interface WriteOptions extends Options {
  /** When it was measured. The current value of a key is the one with the greatest time. */
  readonly time?: Time | undefined;
  /** As in `ConnectOptions`, for this one. */
  readonly resend?: boolean | undefined;
}

export interface PutOptions extends WriteOptions {
  /** So long after the cluster has taken it the value is deleted. */
  readonly ttlMs?: number | undefined;
}

export interface GetOptions extends Options {
  /**
   * `strong`: everything that was acknowledged before is in it. `eventual`: what the nearest replica has, quicker, also
   * without a quorum. `repair`: all replicas are compared first.
   */
  readonly consistency?: 'strong' | 'eventual' | 'repair' | undefined;
  /** The value that was current then. */
  readonly at?: Time | undefined;
}

export interface PageOptions extends Options {
  /** Whole levels: `plant1` means the key `plant1` and everything below `plant1/`. All keys, if it is not given. */
  readonly prefix?: string | undefined;
  /** Only what comes behind this key. */
  readonly after?: string | undefined;
  /** So many at most. */
  readonly limit?: number | undefined;
}

export interface RangeOptions extends PageOptions {
  /** The first key, inclusive. */
  readonly from?: string | undefined;
  /** The end, exclusive. */
  readonly to?: string | undefined;
  /** The highest key first. */
  readonly reverse?: boolean | undefined;
}

export interface HistoryOptions extends Options {
  /** Inclusive. */
  readonly from?: Time | undefined;
  /** Exclusive. */
  readonly to?: Time | undefined;
  /** `desc`, newest first, if it is not given. */
  readonly order?: 'asc' | 'desc' | undefined;
  /** So many at most. */
  readonly limit?: number | undefined;
}

export interface CasOptions extends Options {
  /** The version that the current value must have; `null`: there must be none. */
  readonly ifVersion: number | null;
  /** So long after the cluster has taken it the value is deleted. */
  readonly ttlMs?: number | undefined;
}

export type CasResult =
  | { readonly won: true; readonly version: number; readonly expiresAt?: number | undefined }
  /** `version` is that of the current value; `null`: there is none. */
  | { readonly won: false; readonly version: number | null };

export interface Written {
  readonly version: number;
}

export interface BatchWritten {
  /** How many writes were stored. */
  readonly count: number;
  /** The highest version of them; 0 if there were none. */
  readonly version: number;
}

/** The events of a client, by name. */
export interface ClientEvents {
  /** There is a connection again. */
  connect: { readonly url: string };
  /** The connection was lost. */
  disconnect: { readonly reason: DssError };
  /** An attempt to connect begins; `attempt` counts from 1 since the last good connection. */
  reconnect: { readonly url: string; readonly attempt: number };
}
