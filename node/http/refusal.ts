import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { SettingsProblem } from '../settings/settings.ts';
import type { ChangeOutcome } from '../settings/settings-service.ts';

/** Stable codes of what HTTP refuses (`docs/ERRORS.md`). */
type HttpErrorCode =
  | 'BAD_CREDENTIALS'
  | 'VALUE_TOO_LARGE'
  | 'FAILURE'
  | 'NOT_ALLOWED'
  | 'INVALID_REQUEST'
  | 'INVALID_RULE'
  | 'INVALID_CHANGE'
  | 'NOT_FOUND'
  | 'NAME_TAKEN'
  | 'NODE_REMOVED'
  | 'TOO_MANY_NODES'
  | 'CONFLICT'
  | 'FORMING'
  | 'UNAVAILABLE';

/** The shape of every refusal: problem details (RFC 9457), with a code for programs and a sentence for people. */
export function refuse(
  reply: FastifyReply,
  status: number,
  code: HttpErrorCode,
  detail: string,
): FastifyReply {
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail, code };
  return reply.code(status).type('application/problem+json').send(problem);
}

/** What fastify itself refuses gets the same shape. `failed` is told of errors that are nobody's request's fault. */
export function answerProblems(
  server: FastifyInstance,
  failed: (error: Error) => void = () => {},
): void {
  server.setNotFoundHandler((request, reply) =>
    refuse(
      reply,
      404,
      'NOT_FOUND',
      `there is no ${request.method} ${request.url.split('?', 1)[0]}`,
    ),
  );
  server.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) {
      const code = status === 413 ? 'VALUE_TOO_LARGE' : 'INVALID_REQUEST';
      return refuse(reply, status, code, error.message);
    }
    failed(error);
    return refuse(reply, 500, 'FAILURE', 'the node could not answer; its log says why');
  });
}

export function refuseForming(reply: FastifyReply): FastifyReply {
  return refuse(reply, 503, 'FORMING', 'the node has not joined a cluster yet');
}

const STATUS_OF_PROBLEM: Readonly<
  Record<SettingsProblem['kind'], readonly [number, HttpErrorCode]>
> = {
  'not-found': [404, 'NOT_FOUND'],
  'over-limit': [400, 'INVALID_RULE'],
  'name-taken': [409, 'NAME_TAKEN'],
  'node-removed': [409, 'NODE_REMOVED'],
  'too-many-nodes': [409, 'TOO_MANY_NODES'],
  'last-node': [409, 'INVALID_CHANGE'],
};

/** For a change of the settings that was not made. */
export function refuseChange(
  reply: FastifyReply,
  outcome: Exclude<ChangeOutcome, { readonly kind: 'settled' }>,
): FastifyReply {
  switch (outcome.kind) {
    case 'refused': {
      const [status, code] = STATUS_OF_PROBLEM[outcome.problem.kind];
      return refuse(reply, status, code, outcome.problem.message);
    }
    case 'contended':
      return refuse(reply, 409, 'CONFLICT', 'the settings are being changed elsewhere: try again');
    case 'unavailable':
      return refuse(
        reply,
        503,
        'UNAVAILABLE',
        'the cluster has not answered in time; the change may still be made, and may be repeated',
      );
  }
}
