import type { NodeConnection } from '../connection.ts';
import { topicOf } from '../key.ts';
import { escapeWord, unescapeWord, unfinishedWord } from './words.ts';

/** More than these are no help to anybody. */
const CANDIDATES_MAX = 40;
const PAGE_LIMIT = 100;
/** Sorts behind every key that begins as it does. */
const LAST_CHARACTER = '\u{10ffff}';

const KEY_COMMANDS = /^(put|get|del|delete|list|ls|range|history|cas|watch|where|export)$/;

type KeyLookup = (task: (node: NodeConnection) => Promise<string[]>) => Promise<string[]>;

/** What could stand in the place of the last word of `line`; and that word, as readline wants to have it. */
export async function complete(
  line: string,
  commands: readonly string[],
  lookUp: KeyLookup,
): Promise<[string[], string]> {
  const typed = unfinishedWord(line);
  if (typed === undefined) return [[], line];
  const before = line.slice(0, line.length - typed.length).trim();
  if (before === '') {
    return [commands.filter((name) => name.startsWith(typed)).map((name) => `${name} `), typed];
  }
  if (!KEY_COMMANDS.test(before)) return [[], typed];
  const keys = await lookUp((node) => completeKey(node, unescapeWord(typed)));
  return [keys.map(escapeWord), typed];
}

/**
 * Keys that begin with what was typed, to the end of the level that is being typed: whole trees of keys are one
 * candidate, and are skipped in one step.
 */
export async function completeKey(node: NodeConnection, typed: string): Promise<string[]> {
  const slash = typed.lastIndexOf('/');
  const topic = topicOf('list', typed.slice(0, Math.max(0, slash)));
  const found: string[] = [];
  let after = typed;
  while (found.length < CANDIDATES_MAX) {
    const { keys, more } = await listKeys(node, topic, after);
    for (const key of keys) {
      if (!key.startsWith(typed)) return found;
      const end = key.indexOf('/', typed.length);
      const candidate = end === -1 ? key : key.slice(0, end + 1);
      if (candidate !== found.at(-1)) found.push(candidate);
    }
    const last = found.at(-1);
    if (!more || last === undefined) return found;
    after = last.endsWith('/') ? last + LAST_CHARACTER : last;
  }
  return found;
}

async function listKeys(
  node: NodeConnection,
  topic: string,
  after: string,
): Promise<{ readonly keys: readonly string[]; readonly more: boolean }> {
  const reply = await node.request(topic, { limit: PAGE_LIMIT, ...(after ? { after } : {}) });
  if (!reply.ok) return { keys: [], more: false };
  return reply as unknown as { keys: string[]; more: boolean };
}
