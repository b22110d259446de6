import { KeyFilter } from './key-filter.ts';

/**
 * What one user may do. Names are keys, as they stand after the verb, and ordinary topics: the filter
 * `plant1/#` is about the key `plant1/temp` and about the topic `plant1/temp` alike.
 */
export interface Access {
  /** Empty: nobody said who it is, and nobody had to. */
  readonly user: string;
  /** May change what holds for the whole cluster. */
  readonly isAdministrator: boolean;
  /** A key as it stands in a packet; asked for every put, so it allocates nothing. */
  mayWriteKey(buffer: Uint8Array, start: number, end: number): boolean;
  mayReadKey(buffer: Uint8Array, start: number, end: number): boolean;
  mayWrite(name: string): boolean;
  mayRead(name: string): boolean;
  /** Every key at or below `prefix` (whole levels; empty: all keys): what a list or a range answers with. */
  mayReadBelow(prefix: string): boolean;
  /** How much of what the filter matches may be read. `some` needs a look at each delivery. */
  readable(filter: string): 'all' | 'some' | 'none';
}

/** Who is who; in production the users of the configuration file (`node/edge/`). */
export interface Authenticator {
  /**
   * Never rejects. `busy`: too many are waiting to be checked; try again later. What a CONNECT leaves out is
   * undefined.
   */
  authenticate(
    username: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Access | 'bad-credentials' | 'busy'>;
  /** What a user may do who is not here: what it left behind is dealt with. Undefined: there is no such user. */
  accessOf(user: string): Access | undefined;
}

/** Without users everybody may do everything (DESIGN §10 ▣: then nobody but this machine can connect). */
export const EVERYTHING: Access = {
  user: '',
  isAdministrator: true,
  mayWriteKey: () => true,
  mayReadKey: () => true,
  mayWrite: () => true,
  mayRead: () => true,
  mayReadBelow: () => true,
  readable: () => 'all',
};

/** A user with well-formed MQTT filters for what may be read and written. */
export class FilteredAccess implements Access {
  readonly user: string;
  readonly isAdministrator: boolean;
  readonly #read: FilterSet;
  readonly #write: FilterSet;

  constructor(user: string, filters: { read: readonly string[]; write: readonly string[] }) {
    this.user = user;
    this.#read = new FilterSet(filters.read);
    this.#write = new FilterSet(filters.write);
    this.isAdministrator = this.#read.isOpen && this.#write.isOpen;
  }

  mayWriteKey(buffer: Uint8Array, start: number, end: number): boolean {
    return this.#write.matchesBytes(buffer, start, end);
  }

  mayReadKey(buffer: Uint8Array, start: number, end: number): boolean {
    return this.#read.matchesBytes(buffer, start, end);
  }

  mayWrite(name: string): boolean {
    return this.#write.matches(name);
  }

  mayRead(name: string): boolean {
    return this.#read.matches(name);
  }

  mayReadBelow(prefix: string): boolean {
    return this.#read.covers(below(prefix));
  }

  readable(filter: string): 'all' | 'some' | 'none' {
    const wanted = new KeyFilter(filter);
    if (this.#read.covers(wanted)) return 'all';
    return this.#read.overlaps(wanted) ? 'some' : 'none';
  }
}

/**
 * Whether a subscription is granted: something of what it asks for may be read. What is delivered is checked
 * one by one (`readable`, `mayReceive`), so that a filter such as `#` means "whatever I may read". A well-formed
 * filter only.
 */
export function maySubscribe(access: Access, filter: string): boolean {
  const [first, second] = filter.split('/', 2);
  if (first === 'dss' && second !== undefined && second !== '+' && second !== '#') {
    if (['reply', 'error', 'snapshot', 'sys'].includes(second)) return true;
    if (second !== 'value' && second !== 'watch') return false;
    const keys = filter.slice(`dss/${second}/`.length);
    return keys !== '' && access.readable(keys) !== 'none';
  }
  if (access.readable(filter) !== 'none') return true;
  // Other filters that reach into `dss/`: there are system topics, which are everybody's, and values.
  const wanted = new KeyFilter(filter);
  if (wanted.overlaps(SYSTEM_TOPICS)) return true;
  const keys = filter.split('/').slice(2).join('/');
  return keys !== '' && wanted.overlaps(VALUE_TOPICS) && access.readable(keys) !== 'none';
}

/**
 * Whether an ordinary or system topic may be delivered. Values are checked by their keys. System topics are
 * everybody's, but what was refused lately quotes keys and payloads of all users.
 */
export function mayReceive(access: Access, topic: string): boolean {
  if (topic.startsWith('dss/sys/refused/')) return access.mayReadBelow('');
  return topic.startsWith('dss/sys/') || access.mayRead(topic);
}

const SYSTEM_TOPICS = new KeyFilter('dss/sys/#');
const VALUE_TOPICS = new KeyFilter('dss/value/#');

/** `plant1/#` matches `plant1` too, which is what a prefix of whole levels means (DESIGN §7). */
function below(prefix: string): KeyFilter {
  return new KeyFilter(prefix === '' ? '#' : `${prefix}/#`);
}

/** Any of several filters. A question about a whole filter is answered by one of them, never by two together. */
class FilterSet {
  readonly isOpen: boolean;
  readonly #filters: readonly KeyFilter[];

  constructor(filters: readonly string[]) {
    this.#filters = filters.map((filter) => new KeyFilter(filter));
    this.isOpen = this.#filters.some((filter) => filter.isOpen);
  }

  matchesBytes(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.isOpen) return true;
    for (const filter of this.#filters) {
      if (filter.matchesBytes(buffer, start, end)) return true;
    }
    return false;
  }

  matches(name: string): boolean {
    return this.isOpen || this.#filters.some((filter) => filter.matches(name));
  }

  covers(wanted: KeyFilter): boolean {
    return this.#filters.some((filter) => filter.covers(wanted));
  }

  overlaps(wanted: KeyFilter): boolean {
    return this.#filters.some((filter) => filter.overlaps(wanted));
  }
}
