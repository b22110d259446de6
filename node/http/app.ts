import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { ListenOptions } from '../../broker/server.ts';
import { refuse } from './refusal.ts';
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
}

/**
 * What the routes of a node rely on. Their schemas check paths and queries as they stand; bodies are read by those who
 * read the same from MQTT or a file. Answers are written as they are: their schemas describe them (`docs/openapi.json`), and tests
 * compare, so that nothing is silently left out.
 */
export function createApp({ https, failed = () => {} }: AppOptions = {}): FastifyInstance {
  const options = {
    logger: false,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    frameworkErrors: (error: FastifyError, _: unknown, reply: FastifyReply) => {
      refuse(reply, error.statusCode ?? 400, 'INVALID_REQUEST', error.message);
    },
  } as const;
  const app = (
    https === undefined ? fastify(options) : fastify({ ...options, https })
  ) as FastifyInstance;
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.addSchema(PROBLEM);
  app.decorateRequest('access', null);
  answerProblems(app, failed);
  return app;
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
