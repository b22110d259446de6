/**
 * A place inside of a JSON value: `temperature`, `sensors[0].value`. A name that is not a word stands in quotes:
 * `["air temp"]`.
 */
export type JsonPath = readonly (string | number)[];

/** Undefined if it is none. The empty path is the value itself. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path: (string | number)[] = [];
  const step = /\.?([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d+)\]|\[("(?:\\.|[^"\\])*")\]/uy;
  while (step.lastIndex < text.length) {
    const [, name, index, quoted] = step.exec(text) ?? [];
    if (name !== undefined) path.push(name);
    else if (index !== undefined) path.push(Number(index));
    else if (quoted !== undefined) path.push(JSON.parse(quoted) as string);
    else return undefined;
  }
  return path;
}

function formatJsonPath(path: JsonPath): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) return `[${JSON.stringify(step)}]`;
      return at === 0 ? step : `.${step}`;
    })
    .join('');
}

/** The number at that place; a boolean is 0 or 1, and text is a number if it reads as one. */
export function numberAt(json: unknown, path: JsonPath): number | undefined {
  let at = json;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  if (typeof at === 'boolean') return Number(at);
  const number = typeof at === 'string' && at.trim() !== '' ? Number(at) : at;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

const PATHS_MAX = 50;
const DEPTH_MAX = 6;

/** What is most likely meant by a document of a sensor. */
export function likelyPath(json: unknown): string {
  const paths = numberPaths(json);
  return paths.find((path) => /(^|\.)(value|val|v)$/i.test(path)) ?? paths[0] ?? '';
}

/** All places with numbers, in the order of the document; at most 50. */
export function numberPaths(json: unknown): string[] {
  const found: string[] = [];
  const visit = (at: unknown, path: JsonPath): void => {
    if (found.length >= PATHS_MAX || path.length > DEPTH_MAX) return;
    if (typeof at === 'number' || typeof at === 'boolean') found.push(formatJsonPath(path));
    else if (Array.isArray(at))
      for (const [index, item] of at.entries()) visit(item, [...path, index]);
    else if (typeof at === 'object' && at !== null) {
      for (const [name, item] of Object.entries(at)) visit(item, [...path, name]);
    }
  };
  visit(json, []);
  return found;
}
