import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WriteFailure } from '../../broker/data-plane.ts';
import { isRefusalCode, type Refusal, type RefusalCode } from '../../broker/refusals.ts';
import type { SettingsProblem } from '../settings/settings.ts';
import type { ChangeOutcome } from '../settings/settings-service.ts';

/** Stable codes of what HTTP refuses (`docs/ERRORS.md`). */
export type HttpErrorCode =
  | RefusalCode
  | 'FAILURE'
  | 'INVALID_RULE'
  | 'INVALID_CHANGE'
  | 'NOT_FOUND'
  | 'NAME_TAKEN'
  | 'NODE_REMOVED'
  | 'TOO_MANY_NODES'
  | 'CONFLICT'
  | 'FORMING'
  | 'VERSION_MISMATCH'
  | 'UNAVAILABLE';

/** Is told of what was refused, so that whoever looks after the cluster hears of it. */
export type Refused = (request: FastifyRequest, refusal: Refusal) => void;

declare module 'fastify' {
  interface FastifyInstance {
    refused: Refused;
  }
}

/** The shape of every refusal: problem details (RFC 9457), with a code for programs and a sentence for people. */
export function refuse(
  reply: FastifyReply,
  status: number,
  code: HttpErrorCode,
  detail: string,
): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  if (isRefusalCode(code)) reply.server.refused(reply.request, { code, message: detail });
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail, code };
  return reply.code(status).type('application/problem+json').send(problem);
}

/** What is true for a moment only: an election, a queue that is full. */
const RETRY_AFTER_SECONDS = 1;

const STATUS_OF_CODE: Readonly<Partial<Record<HttpErrorCode, number>>> = {
  NOT_ALLOWED: 403,
  VALUE_TOO_LARGE: 413,
  TOO_MANY_WATCHES: 503,
  STORAGE_FULL: 507,
};

/** What MQTT would refuse as well, for the same reason. */
export function refuseRequest(
  reply: FastifyReply,
  { code, message }: { readonly code: RefusalCode; readonly message: string },
): FastifyReply {
  return refuse(reply, STATUS_OF_CODE[code] ?? 400, code, message);
}

const WHY_NOT_STORED: Readonly<Record<WriteFailure, string>> = {
  'no-quorum': 'no quorum in time; it may still be stored, and may be sent again',
  stopping: 'the node stops; it may still be stored, and may be sent again to another one',
  'storage-full': 'the storage of the cluster is full; deletes are still taken',
};

export function refuseWrite(reply: FastifyReply, failure: WriteFailure): FastifyReply {
  const why = WHY_NOT_STORED[failure];
  return failure === 'storage-full'
    ? refuseRequest(reply, { code: 'STORAGE_FULL', message: why })
    : refuse(reply, 503, 'UNAVAILABLE', why);
}

export function refuseUnread(reply: FastifyReply): FastifyReply {
  return refuse(reply, 503, 'UNAVAILABLE', 'no quorum in time: ask again');
}

/** Back-pressure: nothing more is taken until what waits has gone. */
export function refuseFull(reply: FastifyReply): FastifyReply {
  const why = 'so many writes wait that no more are taken; nothing was stored: send it again';
  return refuse(reply, 503, 'UNAVAILABLE', why);
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
