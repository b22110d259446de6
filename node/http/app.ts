import assert from 'node:assert/strict';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifySchemaValidationError,
  fastify,
} from 'fastify';
import type { ListenOptions } from '../../broker/server.ts';
import { type Refused, refuse } from './refusal.ts';
import { PROBLEM } from './schemas/common.ts';

/** Of a path: no request line is longer, and keys say themselves that they are too long. */
const PARAMETER_CHARACTERS_MAX = 16 * 1024;
/** A request that takes longer to arrive is given up. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface AppOptions {
  /** With it nothing but HTTPS is spoken. */
  readonly https?: (ListenOptions['tls'] & object) | undefined;
  /** An error that is nobody's request's fault: that request is answered with 500. */
  readonly failed?: ((error: Error) => void) | undefined;
  /** A request was refused for what MQTT refuses as well. */
  readonly refused?: Refused | undefined;
}

/**
 * What the routes of a node rely on. Their schemas check paths and queries as they stand; bodies are read by those who
 * read the same from MQTT or a file. Answers are written as they are: their schemas describe them (`docs/openapi.json`), and tests
 * compare, so that nothing is silently left out.
 */
export function createApp(options: AppOptions = {}): FastifyInstance {
  const { https, failed = () => {}, refused = () => {} } = options;
  const settings = {
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    // What is not known is refused, not dropped.
    ajv: { customOptions: { removeAdditional: false } },
    schemaErrorFormatter: describeMismatch,
    frameworkErrors: (error: FastifyError, _: unknown, reply: FastifyReply) => {
      refuse(reply, error.statusCode ?? 400, 'INVALID_REQUEST', error.message);
    },
  } as const;
  const app = (
    https === undefined ? fastify(settings) : fastify({ ...settings, https })
  ) as FastifyInstance;
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.addSchema(PROBLEM);
  app.decorateRequest('access', null);
  app.decorate('refused', refused);
  answerProblems(app, failed);
  return app;
}

/** Of a query or a header, in words that people know. */
function describeMismatch(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const [error] = errors;
  assert(error !== undefined, 'a mismatch has a reason');
  const { instancePath, keyword, params, message = '' } = error;
  const { additionalProperty, missingProperty, allowedValues } = params;
  if (keyword === 'additionalProperties') {
    return new Error(`"${additionalProperty}" is none of the parameters of this address`);
  }
  if (keyword === 'required') return new Error(`"${missingProperty}" has to be given`);
  const name = instancePath.slice(1);
  if (keyword !== 'enum') return new Error(`"${name}" in the ${part} ${message}, given once`);
  return new Error(`"${name}" must be one of ${(allowedValues as string[]).join(', ')}`);
}

/** What fastify itself refuses gets the shape of all refusals. */
function answerProblems(app: FastifyInstance, failed: (error: Error) => void): void {
  app.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split('?', 1);
    return refuse(reply, 404, 'NOT_FOUND', `there is no ${request.method} ${path}`);
  });
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) {
      const code = status === 413 ? 'VALUE_TOO_LARGE' : 'INVALID_REQUEST';
      return refuse(reply, status, code, error.message);
    }
    failed(error);
    return refuse(reply, 500, 'FAILURE', 'the node could not answer; its log says why');
  });
}
