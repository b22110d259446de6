import type { Request } from 'autocannon';

export type Operation = 'put' | 'get';

/** How one of them is asked over HTTP. */
export interface Dialect {
  /** Of the key with this number; a put stores `value`. */
  readonly request: (operation: Operation, key: number, value: string) => Request;
}

const keyOf = (key: number) => `bench/sensor${key}/temp`;
const base64 = (text: string) => Buffer.from(text).toString('base64');

export const DIALECTS = {
  dss: {
    request: (operation, key, value) => {
      const path = `/v1/kv/${keyOf(key)}`;
      return operation === 'put' ? { method: 'PUT', path, body: value } : { method: 'GET', path };
    },
  },
  /** Its gateway takes JSON with keys and values in base64; a range of one key is linearizable as our GET. */
  etcd: {
    request: (operation, key, value) => {
      const name = base64(keyOf(key));
      const body = operation === 'put' ? { key: name, value: base64(value) } : { key: name };
      return {
        method: 'POST',
        path: operation === 'put' ? '/v3/kv/put' : '/v3/kv/range',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
    },
  },
} satisfies Record<string, Dialect>;

export type ContenderName = keyof typeof DIALECTS;
