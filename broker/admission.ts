import { type Access, type Authenticator, EVERYTHING } from './access.ts';
import type { ConnectPacket } from './connect-packet.ts';
import {
  BARRED_REFUSAL,
  BUSY_REFUSAL,
  type ConnectRefusal,
  credentialsRefusal,
  TAKEN_REFUSAL,
  WILL_REFUSAL,
} from './connect-refusal.ts';
import { quotaRefusal } from './connection-quota.ts';
import type { BrokerContext } from './context.ts';
import { type RefusalCode, type RefusedClient, shorten } from './refusals.ts';
import { forbiddenWill } from './wills.ts';

/** A user's CONNECT that may open a session. It has taken its client id: give that back in the end. */
export interface Admitted {
  readonly kind: 'admitted';
  readonly access: Access;
  /** As the client said; empty: it said none. */
  readonly claimedId: string;
}

export type Admission = Admitted | ({ readonly kind: 'refused' } & ConnectRefusal);

type Login = Awaited<ReturnType<Authenticator['authenticate']>>;

/** Says who it is that connects: at once when everybody may do everything. */
export function logIn(
  { authenticator }: BrokerContext,
  { username, password }: ConnectPacket,
  done: (login: Login) => void,
): void {
  if (authenticator === undefined) done(EVERYTHING);
  else void authenticator.authenticate(username, password).then(done);
}

/** Decides about a CONNECT that is well formed, of a client whose login is known. */
export function admit(
  context: BrokerContext,
  packet: ConnectPacket,
  login: Login,
  client: RefusedClient,
): Admission {
  const { refusals, refusedClients, sessionUsers, env } = context;
  const { clientId, will } = packet;
  const nowMs = env.clock.monotonicMs();
  const refuse = (refusal: ConnectRefusal, code: RefusalCode, message = refusal.reason) => {
    refusals.report({ code, message }, client, 'CONNECT');
    return { kind: 'refused', ...refusal } as const;
  };
  if (login === 'busy') return refuse(BUSY_REFUSAL, 'TOO_MANY_LOGINS');
  if (login === 'bad-credentials') {
    return refuse(credentialsRefusal(packet), 'BAD_CREDENTIALS', describeLogin(packet));
  }
  const name = barredName(login, clientId);
  const isBarred = refusedClients.isBarred(name, client.address, nowMs);
  if (isBarred) return refuse(BARRED_REFUSAL, 'TOO_MANY_REFUSALS');
  const why = will === undefined ? undefined : forbiddenWill(context, will, login);
  if (why !== undefined) return refuse(WILL_REFUSAL, why.code, `${why.message}, in a will`);
  const full = quotaRefusal(context, packet, login.user);
  if (full !== undefined) return refuse(full.refusal, full.code);
  const isFree = sessionUsers.claim(clientId, login.user);
  if (!isFree) return refuse(TAKEN_REFUSAL, 'CLIENT_ID_TAKEN');
  return { kind: 'admitted', access: login, claimedId: clientId };
}

/** Who stays away for a while: one user cannot keep another one's client out. */
export function barredName({ user }: Access, clientId: string): string {
  return user === '' || clientId === '' ? clientId : `${clientId} of ${user}`;
}

function describeLogin({ username }: ConnectPacket): string {
  if (username === undefined) return 'this node has users, and the client did not say who it is';
  return `there is no user ${JSON.stringify(shorten(username))} with that password`;
}
