import { isUtf8 } from 'node:buffer';
import { utf8Text } from '../json.ts';
import type { Problem } from './problem.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A payload read as JSON. */
export function parseMessageJson(
  payload: Uint8Array,
  depthMax: number,
): { readonly json: unknown } | { readonly problem: Problem } {
  if (!isUtf8(payload)) return problem('not-json', 'the payload is not UTF-8, so it is not JSON');
  if (isDeeperThan(payload, depthMax)) {
    return problem('too-deep', `the payload has JSON nested deeper than ${depthMax} levels`);
  }
  try {
    return { json: JSON.parse(utf8Text(payload)) as unknown };
  } catch (error) {
    return problem('not-json', `the payload is not JSON: ${(error as Error).message}`);
  }
}

/**
 * Whether objects and arrays are nested deeper. Known before anything is built, so a payload of brackets costs a
 * look at its bytes, and what walks the value afterwards cannot run out of stack.
 */
function isDeeperThan(json: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < json.length; i += 1) {
    const byte = json[i];
    if (isInString) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

function problem(code: Problem['code'], message: string): { readonly problem: Problem } {
  return { problem: { code, message } };
}
