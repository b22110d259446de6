import { decode, kv } from '../../protos/index.ts';
import { encode, type FakeStore, type FakeWrite, toJson } from './fake-store.ts';

export interface RequestBody {
  readonly id: string;
  readonly after?: string;
  readonly limit?: number;
  readonly values?: boolean;
  readonly consistency?: string;
  readonly from?: number;
  readonly to?: number;
  readonly if?: number | null;
  readonly value?: unknown;
  readonly base64?: string;
  readonly delete?: boolean;
  readonly ttl?: number;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

interface Element extends Pick<RequestBody, 'value' | 'base64' | 'delete' | 'ttl'> {
  readonly key: string;
  readonly time?: number | string;
}

/** What `dss/<verb>` does, as far as the tests need it. Keys that begin with `forbidden` are refused. */
export class FakeVerbs {
  readonly #store: FakeStore;
  readonly #changed: (key: string, value: Buffer) => void;
  readonly #won = new Map<string, number>();

  constructor(store: FakeStore, changed: (key: string, value: Buffer) => void) {
    this.#store = store;
    this.#changed = changed;
  }

  write(verb: string, rest: string, payload: Buffer): { refusal?: Refusal; count: number } {
    const writes =
      verb === 'batch'
        ? readBatch(rest, payload)
        : [{ key: rest, value: verb === 'delete' ? Buffer.alloc(0) : payload }];
    const count = writes.length;
    const forbidden = writes.findIndex(({ key }) => key.startsWith('forbidden'));
    if (forbidden >= 0) {
      const message = 'a key of this kind is refused';
      const batch = { code: 'INVALID_REQUEST', message: `element ${forbidden}: ${message}` };
      return { count, refusal: verb === 'batch' ? batch : { code: 'INVALID_KEY', message } };
    }
    for (const write of writes) this.#apply(write);
    return { count };
  }

  answers(verb: string): boolean {
    return ['get', 'list', 'range', 'history', 'cas'].includes(verb);
  }

  answer(verb: string, rest: string, body: RequestBody): object {
    if (verb === 'cas') return this.#compareAndSet(rest, body);
    if (verb === 'get') return this.#get(rest);
    if (verb === 'history') return this.#history(rest, body);
    const { items, more } = this.#store.page(rest, body);
    const keys = items.map(({ key }) => key);
    const wanted = verb === 'range' || body.values === true;
    const content = wanted ? { items: items.map(toJson) } : { keys };
    return { prefix: rest, ok: true, ...content, more, next: more ? keys.at(-1) : null };
  }

  #apply(write: FakeWrite): { version: number; expiresAt?: number } {
    const { item, isCurrent } = this.#store.write(write);
    if (isCurrent) this.#changed(write.key, write.value);
    return item;
  }

  #get(key: string): object {
    const item = this.#store.current(key);
    if (!item) return { key, ok: false, error: 'NOT_FOUND' };
    return { key, ok: true, version: item.version, time: item.time, ...encode(item.value) };
  }

  #history(key: string, body: RequestBody): object {
    const { items, more } = this.#store.historyPage(key, body);
    const next = more ? String(items.at(-1)?.time) : null;
    return { key, ok: true, items: items.map(toJson), more, next };
  }

  /** The winner's repetition is known by its id; the client id is left to the node's own tests. */
  #compareAndSet(key: string, body: RequestBody): object {
    const current = this.#store.current(key)?.version ?? null;
    const again = this.#won.get(body.id);
    if (again !== undefined && again === current) return { key, ok: true, version: again };
    if (current !== body.if) return { key, ok: false, error: 'VERSION_MISMATCH', version: current };
    const ttl = body.ttl === undefined ? {} : { ttl: body.ttl };
    const { version, expiresAt } = this.#apply({ key, value: bytesOf(body), ...ttl });
    this.#won.set(body.id, version);
    return { key, ok: true, version, ...(expiresAt === undefined ? {} : { expiresAt }) };
  }
}

function readBatch(prefix: string, payload: Buffer): FakeWrite[] {
  const elements: Element[] =
    payload[0] === 0x08
      ? (decode(kv.DeviceBatch, payload).readings as kv.Reading[]).map((reading) => ({
          ...{ key: reading.key, base64: Buffer.from(reading.value).toString('base64') },
          ...(reading.timeMs === 0 ? {} : { time: reading.timeMs }),
        }))
      : (JSON.parse(payload.toString()) as Element[]);
  return elements.map((element) => {
    const { key, time, ttl } = element;
    return {
      key: prefix === '' ? key : `${prefix}/${key}`,
      value: bytesOf(element),
      ...(time === undefined ? {} : { time: typeof time === 'string' ? Date.parse(time) : time }),
      ...(ttl === undefined ? {} : { ttl }),
    };
  });
}

function bytesOf({ value = '', base64, delete: isDelete }: Partial<Element>): Buffer {
  if (isDelete) return Buffer.alloc(0);
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
