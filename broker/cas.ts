import { createHash } from 'node:crypto';
import type { CompareAndSetOutcome, DataPlane } from './data-plane.ts';
import type { BrokerEnv } from './env.ts';
import type { Request } from './requests.ts';

export type CasRequest = Extract<Request, { op: 'cas' }>;

/** Whose requests are told apart by their `id`: the same client, wherever and whenever it connects. */
export interface ClientIdentity {
  /** Empty: nobody has logged in. */
  readonly userName: string;
  /** Empty: the client has none of its own. */
  readonly clientId: string;
  /** Tells one connection of a client without an id from all others in the cluster. */
  readonly connection: string;
}

const TOKEN_BYTES = 16;
const NUL = Uint8Array.of(0);

export function identityOf(
  { userName, clientId }: { readonly userName: string; readonly clientId: string },
  random: BrokerEnv['random'],
): ClientIdentity {
  const connection = clientId === '' ? connectionName(random) : '';
  return { userName, clientId, connection };
}

/** Tells one connection from all others in the cluster. */
export function connectionName(random: BrokerEnv['random']): string {
  return Array.from({ length: 4 }, () => random.below(2 ** 32).toString(36)).join('-');
}

/**
 * What makes a repetition of a request known as one: the same for the same request of the same client, else
 * different. JSON has no U+0000 in it, so that no two requests are written alike. Undefined: it has no `id`.
 */
export function casToken(client: ClientIdentity, request: CasRequest): Uint8Array | undefined {
  const { address, ifVersion, ttlMs, value } = request;
  if (address.id === undefined) return undefined;
  const { userName, clientId, connection } = client;
  return createHash('sha256')
    .update(JSON.stringify([userName, clientId, connection, address.id, ifVersion, ttlMs]))
    .update(NUL)
    .update(value)
    .digest()
    .subarray(0, TOKEN_BYTES);
}

export function compareAndSet(
  dataPlane: DataPlane,
  client: ClientIdentity,
  request: CasRequest,
): Promise<CompareAndSetOutcome> {
  const { key, value, ifVersion, ttlMs } = request;
  const token = casToken(client, request);
  return dataPlane.compareAndSet({ key, value, ifVersion, ttlMs, token });
}
