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
/** Paths that end with a key: what the router cannot decode there is no key. */
const KEY_AT_END = /^\/v1\/(kv|history)\//;
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
    frameworkErrors: (
      error: FastifyError,
      request: { readonly url: string },
      reply: FastifyReply,
    ) => {
      const code = KEY_AT_END.test(request.url) ? 'INVALID_KEY' : 'INVALID_REQUEST';
      const sentence = 'the path is not percent-encoded UTF-8';
      if (error.code === 'FST_ERR_BAD_URL') refuse(reply, 400, code, sentence);
      else refuse(reply, error.statusCode ?? 400, 'INVALID_REQUEST', error.message);
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

/** Of a path, a query or a header, in words that people know. */
function describeMismatch(errors: readonly FastifySchemaValidationError[]): Error {
  const [error] = errors;
  assert(error !== undefined, 'a mismatch has a reason');
  const { instancePath, keyword, params, message = '' } = error;
  const { additionalProperty, missingProperty } = params;
  if (keyword === 'additionalProperties') {
    return new Error(`"${additionalProperty}" is none of the parameters of this address`);
  }
  if (keyword === 'required') return new Error(`"${missingProperty}" has to be given`);
  return new Error(`"${instancePath.slice(1)}" ${mustBe(keyword, params) ?? message}`);
}

function mustBe(
  keyword: string,
  { allowedValues, type, limit }: FastifySchemaValidationError['params'],
): string | undefined {
  if (keyword === 'enum') return `must be one of ${(allowedValues as string[]).join(', ')}`;
  if (keyword === 'minimum') return `must be at least ${limit}`;
  if (keyword === 'maximum') return `must be at most ${limit}`;
  if (keyword !== 'type') return undefined;
  // Text is whatever is given, so it was given twice.
  if (type === 'string') return 'must be given once';
  return `must be a ${type === 'integer' ? 'whole number' : type}, given once`;
}

/** What fastify itself refuses gets the shape of all refusals. */
function answerProblems(app: FastifyInstance, failed: (error: Error) => void): void {
  app.setNotFoundHandler((request, reply) => {
    const [path] = request.url.split('?', 1);
    return refuse(reply, 404, 'NOT_FOUND', `there is no ${request.method} ${path}`);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) {
      const sentence = `the body is larger than ${request.routeOptions.bodyLimit} bytes`;
      return refuse(reply, 413, 'VALUE_TOO_LARGE', sentence);
    }
    if (status < 500) {
      return refuse(reply, status, 'INVALID_REQUEST', WRONG_BODY[error.code] ?? error.message);
    }
    failed(error);
    return refuse(reply, 500, 'FAILURE', 'the node could not answer; its log says why');
  });
}

const WRONG_BODY: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body must be JSON, sent as Content-Type: application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'there is no body, though its Content-Type is application/json',
};
