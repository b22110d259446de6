import type { FastifyReply } from 'fastify';

/** Stable codes of what HTTP refuses (`docs/ERRORS.md`). */
type HttpErrorCode =
  | 'BAD_CREDENTIALS'
  | 'NOT_ALLOWED'
  | 'INVALID_REQUEST'
  | 'INVALID_RULE'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'FORMING'
  | 'UNAVAILABLE';

/** The shape of every refusal: a code for programs, a sentence for people. */
export function refuse(
  reply: FastifyReply,
  status: number,
  error: HttpErrorCode,
  message: string,
): FastifyReply {
  return reply.code(status).send({ error, message });
}

export function refuseForming(reply: FastifyReply): FastifyReply {
  return refuse(reply, 503, 'FORMING', 'the node has not joined a cluster yet');
}
