import type { ConnectPacket } from './connect-packet.ts';
import {
  type ConnectRefusal,
  NODE_FULL_REFUSAL,
  SESSIONS_FULL_REFUSAL,
  TOO_FAST_REFUSAL,
  USER_FULL_REFUSAL,
} from './connect-refusal.ts';
import type { BrokerContext } from './context.ts';
import type { RefusalCode } from './refusals.ts';

export interface QuotaRefusal {
  readonly code: RefusalCode;
  readonly refusal: ConnectRefusal;
}

/** Whether a client may connect whoever it is: asked first, as a crowd must not make the node check passwords. */
export function crowdRefusal(
  context: BrokerContext,
  { clientId }: ConnectPacket,
): QuotaRefusal | undefined {
  const { connectRate, env } = context;
  if (connectRate?.take(env.clock.monotonicMs()) === false) {
    return { code: 'TOO_MANY_CONNECTS', refusal: TOO_FAST_REFUSAL };
  }
  return nodeRefusal(context, clientId);
}

/** Whether there is room for one more connection of this user, and for the session that it asks for. */
export function quotaRefusal(
  context: BrokerContext,
  { clientId, sessionExpirySeconds }: ConnectPacket,
  user: string,
): QuotaRefusal | undefined {
  const { sessionUsers, clients, limits } = context;
  const { connectionsPerUserMax, sessionsMax } = limits;
  const isLimited = user !== '' && connectionsPerUserMax > 0 && !sessionUsers.has(clientId);
  if (isLimited && sessionUsers.connectionsOf(user) >= connectionsPerUserMax) {
    return { code: 'TOO_MANY_CONNECTIONS', refusal: USER_FULL_REFUSAL };
  }
  if (sessionExpirySeconds > 0 && !clients.hasRoomFor(clientId, sessionsMax)) {
    return { code: 'TOO_MANY_SESSIONS', refusal: SESSIONS_FULL_REFUSAL };
  }
  // Others may have come while its password was checked.
  return nodeRefusal(context, clientId);
}

/** A client that is here already takes the place of its own earlier connection. */
function nodeRefusal(
  { sessionUsers, limits }: BrokerContext,
  clientId: string,
): QuotaRefusal | undefined {
  if (sessionUsers.connections < limits.connectionsMax || sessionUsers.has(clientId)) {
    return undefined;
  }
  return { code: 'TOO_MANY_CONNECTIONS', refusal: NODE_FULL_REFUSAL };
}
