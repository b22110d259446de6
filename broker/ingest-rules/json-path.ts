import type { Member } from '../request-members.ts';

/** A place in a JSON value: names of members and indexes of elements, from the outside in. Empty: all of it. */
export type JsonPath = readonly (string | number)[];

const STEPS_MAX = 32;

/** `.name`, `[0]`, `["any name"]` or `['any name']`. */
const STEP = /\.([^.[\]"'\s]+)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]|\['([^']*)'\]/y;

/**
 * Reads a path such as `a.b[0]`, `$.a.b[0]` or `params["switch:0"].apower`. `$` alone is the whole value. There are
 * no wildcards: a path leads to one place.
 */
export function parseJsonPath(text: string): Member<JsonPath> {
  const steps = withoutRoot(text);
  const path: (string | number)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < steps.length) {
    const match = STEP.exec(steps);
    const step = match === null ? undefined : stepOf(match);
    if (step === undefined) return notAPath(text);
    path.push(step);
  }
  if (path.length === 0 && text !== '$') return notAPath(text);
  if (path.length > STEPS_MAX) {
    return { wrong: `the path has ${path.length} steps; at most ${STEPS_MAX} are allowed` };
  }
  return { value: path };
}

/** What stands at the path; undefined: nothing. Only what the JSON itself has is found. */
export function valueAt(json: unknown, path: JsonPath): unknown {
  let value = json;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    const isIndex = typeof step === 'number';
    if (isIndex !== Array.isArray(value) || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** What is left of `path` below `root`; undefined: it does not lead through it. */
export function pathBelow(root: JsonPath, path: JsonPath): JsonPath | undefined {
  return root.every((step, i) => step === path[i]) ? path.slice(root.length) : undefined;
}

/** Steps all begin with a dot or bracket then. A name may begin with `$` itself. */
function withoutRoot(text: string): string {
  if (/^\$($|[.[])/.test(text)) return text.slice(1);
  return text.startsWith('[') ? text : `.${text}`;
}

function stepOf(match: RegExpExecArray): string | number | undefined {
  const [, name, index, doubleQuoted, singleQuoted] = match;
  if (index !== undefined) return Number(index);
  if (doubleQuoted === undefined) return name ?? singleQuoted;
  try {
    return JSON.parse(`"${doubleQuoted}"`) as string;
  } catch {
    return undefined;
  }
}

function notAPath(text: string): { readonly wrong: string } {
  const allowed = 'such as temperature, a.b[0] or $["a name"].b';
  return { wrong: `${JSON.stringify(text)} is not a path into JSON ${allowed}` };
}
