import { parsePreset } from '../../broker/ingest-rules/presets.ts';
import { parseIngestRule } from '../../broker/ingest-rules/rule.ts';
import { isJsonObject, type JsonObject, utf8Bytes } from '../../broker/json.ts';
import type { Member } from '../../broker/request-members.ts';
import { parseRetentionRule } from '../retention/rules.ts';
import { addIngest, editInTurn, type SettingsEdit, setRetention } from './settings.ts';

/**
 * What administrators ask for, as JSON, made into an edit; or the sentence that says what is allowed. A rule
 * can be sent back as a document shows it: what is only shown is ignored.
 */

/** What documents say about an ingest rule beside its own members. */
const ONLY_SHOWN = new Set(['counters', 'examples', 'lastStored']);

/** `{prefix, keep?, versions?, ttl?}` */
export function retentionEdit(body: unknown): Member<SettingsEdit> {
  const parsed = parseRetentionRule(body);
  if ('wrong' in parsed) return parsed;
  return { value: (settings) => setRetention(settings, parsed.value) };
}

/** One rule, with `before?`, the name of the rule that it is to come before; or `{preset, timeZone?}`. */
export function ingestEdit(body: unknown): Member<SettingsEdit> {
  if (!isJsonObject(body)) {
    return { wrong: 'the body must be a rule, such as {"filter":"tele/+/SENSOR"}, or {"preset"}' };
  }
  if (body.preset !== undefined) return presetEdit(body);
  const { before, ...members } = body;
  if (before !== undefined && typeof before !== 'string') {
    return { wrong: '"before" must be the name of a rule, as text' };
  }
  const rule = Object.entries(members).filter(([name]) => !ONLY_SHOWN.has(name));
  const parsed = parseIngestRule(Object.fromEntries(rule));
  if ('wrong' in parsed) return parsed;
  return { value: (settings) => addIngest(settings, parsed.value, before) };
}

/** A message to try the rules with. */
export interface IngestTest {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** `{topic, payload}`, or `base64` for a payload that is not text. */
export function ingestTest(body: unknown): Member<IngestTest> {
  if (!isJsonObject(body)) {
    return {
      wrong: 'the body must be a message, such as {"topic":"tele/plug/STATE","payload":"…"}',
    };
  }
  const { topic, payload, base64 } = body;
  if (typeof topic !== 'string' || topic === '' || /[+#\0]/.test(topic)) {
    return { wrong: '"topic" must be the topic of a message, without wildcards' };
  }
  if (typeof payload === 'string' && base64 === undefined) {
    return { value: { topic, payload: utf8Bytes(payload) } };
  }
  if (typeof base64 === 'string' && payload === undefined) {
    return { value: { topic, payload: Buffer.from(base64, 'base64') } };
  }
  return { wrong: 'the payload must be given as text in "payload", or else in "base64"' };
}

/** The rules of a preset are appended in their order; those that are there already stay where they are. */
function presetEdit(body: JsonObject): Member<SettingsEdit> {
  const parsed = parsePreset(body);
  if ('wrong' in parsed) return parsed;
  const edits = parsed.value.map(
    (rule): SettingsEdit =>
      (settings) =>
        addIngest(settings, rule),
  );
  return { value: (settings) => editInTurn(settings, edits) };
}
