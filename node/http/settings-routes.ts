import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify';
import type { RuleCounts } from '../../broker/ingest-rules/rule-counters.ts';
import type { Member } from '../../broker/request-members.ts';
import { ingestDocument, retentionDocument } from '../settings/documents.ts';
import type { IngestTrial } from '../settings/ingest-trial.ts';
import { type IngestTest, ingestEdit, ingestTest, retentionEdit } from '../settings/requests.ts';
import {
  type EditResult,
  removeIngest,
  removeRetention,
  SETTINGS_BYTES_MAX,
  type Settings,
  type SettingsEdit,
} from '../settings/settings.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import { refuse, refuseChange, refuseForming } from './refusal.ts';
import type { Query } from './requests.ts';
import {
  ADD_INGEST,
  GET_INGEST,
  GET_RETENTION,
  REMOVE_INGEST,
  REMOVE_RETENTION,
  SET_RETENTION,
  TRY_INGEST,
} from './schemas/settings.ts';

export interface SettingsRoutes {
  /** Undefined until the node has joined. */
  readonly service: () => SettingsService | undefined;
  /** Sends the answer itself to whoever is no administrator. */
  readonly authorize: onRequestAsyncHookHandler;
  /** What an ingest rule did on this node. */
  readonly ingestCounts: (rule: string) => RuleCounts;
  /** What the current rules make of a message; nothing is stored or counted. */
  readonly tryIngest: (message: IngestTest) => IngestTrial;
}

/** A value of 1 MiB in base64, or with most of its characters escaped. */
const TRIAL_BYTES_MAX = 4 * 1024 * 1024;

/**
 * `/v1/retention` and `/v1/ingest`: the settings of the cluster, at any node of it. A change answers with the
 * document that a GET gives.
 */
export function settingsRoutes(server: FastifyInstance, routes: SettingsRoutes): void {
  const showRetention = (settings: Settings) => retentionDocument(settings);
  const showIngest = (settings: Settings) => ingestDocument(settings, routes.ingestCounts);
  const read = (answer: Answer) => reading(routes, answer);
  const change = (parse: Parse<SettingsEdit>, show: Show) => changing(routes, parse, show);
  const bodyLimit = SETTINGS_BYTES_MAX;

  server.register(async (scope) => {
    scope.addHook('onRequest', routes.authorize);
    scope.get('/v1/retention', { schema: GET_RETENTION }, read(showRetention));
    scope.put(
      '/v1/retention',
      { bodyLimit, schema: SET_RETENTION },
      change(({ body }) => retentionEdit(body), showRetention),
    );
    scope.delete(
      '/v1/retention',
      { schema: REMOVE_RETENTION },
      change(removal('prefix', removeRetention), showRetention),
    );
    scope.get('/v1/ingest', { schema: GET_INGEST }, read(showIngest));
    scope.post(
      '/v1/ingest',
      { bodyLimit, schema: ADD_INGEST },
      change(({ body }) => ingestEdit(body), showIngest),
    );
    scope.delete(
      '/v1/ingest',
      { schema: REMOVE_INGEST },
      change(removal('name', removeIngest), showIngest),
    );
    scope.post(
      '/v1/ingest/test',
      { bodyLimit: TRIAL_BYTES_MAX, schema: TRY_INGEST },
      read((_, { body }, reply) => {
        const test = ingestTest(body);
        if ('wrong' in test) return refuse(reply, 400, 'INVALID_REQUEST', test.wrong);
        return routes.tryIngest(test.value);
      }),
    );
  });
}

type Show = (settings: Settings) => object;
type Answer = (settings: Settings, request: FastifyRequest, reply: FastifyReply) => object;
type Parse<T> = (request: FastifyRequest) => Member<T>;

function reading({ service }: SettingsRoutes, answer: Answer) {
  return (request: FastifyRequest, reply: FastifyReply) => {
    const settings = service();
    if (settings === undefined) return refuseForming(reply);
    if (settings.isKnown) return answer(settings.current, request, reply);
    return refuse(reply, 503, 'UNAVAILABLE', 'no node has told this one the rules yet: try again');
  };
}

function changing({ service }: SettingsRoutes, parse: Parse<SettingsEdit>, show: Show) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const settings = service();
    if (settings === undefined) return refuseForming(reply);
    const edit = parse(request);
    if ('wrong' in edit) return refuse(reply, 400, 'INVALID_RULE', edit.wrong);
    const outcome = await settings.change(edit.value);
    return outcome.kind === 'settled' ? show(outcome.settings) : refuseChange(reply, outcome);
  };
}

/** Which rule to remove stands in the query, as its schema has seen to: an empty prefix names a rule too. */
function removal(
  member: string,
  remove: (settings: Settings, name: string) => EditResult,
): Parse<SettingsEdit> {
  return ({ query }) => {
    const { [member]: name = '' } = query as Query;
    return { value: (settings) => remove(settings, name) };
  };
}
