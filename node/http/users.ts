import type {
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
  onRequestHookHandler,
} from 'fastify';
import { type Access, type Authenticator, EVERYTHING } from '../../broker/access.ts';
import { refuse } from './refusal.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on routes that ask nobody. */
    access: Access | null;
  }
  interface FastifyContextConfig {
    /** Needs no user. */
    isOpen?: boolean;
  }
}

/** Finds out who asks (HTTP Basic, RFC 7617) and turns away whoever nobody knows. Without users that is nobody. */
export function requireUser(
  authenticator: Authenticator | undefined,
): onRequestHookHandler | onRequestAsyncHookHandler {
  if (authenticator === undefined) {
    return (request: FastifyRequest, _: FastifyReply, next: () => void) => {
      if (request.routeOptions.config?.isOpen !== true) request.access = EVERYTHING;
      next();
    };
  }
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.routeOptions.config?.isOpen === true) return;
    const { username, password } = basicCredentials(request.headers.authorization);
    const access = await authenticator.authenticate(username, password);
    if (access === 'busy') {
      return refuse(reply, 503, 'UNAVAILABLE', 'too many users are logging in: try again');
    }
    if (access === 'bad-credentials') {
      reply.header('www-authenticate', 'Basic realm="DSS", charset="UTF-8"');
      return refuse(reply, 401, 'BAD_CREDENTIALS', 'name a user of this node, and the password');
    }
    request.access = access;
  };
}

/** For what concerns the whole cluster. Comes after `requireUser`. */
export const requireAdministrator: onRequestAsyncHookHandler = async (
  request: FastifyRequest,
  reply: FastifyReply,
) => {
  if (request.access?.isAdministrator === true) return;
  return refuse(
    reply,
    403,
    'NOT_ALLOWED',
    'only a user who may read and write # may see and change the settings of the cluster',
  );
};

function basicCredentials(header = ''): { username?: string; password?: Buffer } {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(header) ?? [];
  if (encoded === undefined) return {};
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon === -1) return {};
  return { username: bytes.subarray(0, colon).toString(), password: bytes.subarray(colon + 1) };
}
