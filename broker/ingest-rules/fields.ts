import type { JsonPath } from './json-path.ts';

/** A field of a JSON object that is stored under a key of its own. */
export interface Field {
  /** The names that lead to it, joined with slashes. */
  readonly path: string;
  /** A string, number, boolean or array. */
  readonly value: unknown;
}

/**
 * The fields of an object: nested objects become levels, arrays stay whole, null is left out. `skip` is the path
 * of one that is not wanted. Returns undefined when there are more than `countMax`.
 */
export function fieldsOf(
  object: object,
  skip: JsonPath | undefined,
  countMax: number,
): readonly Field[] | undefined {
  const fields: Field[] = [];
  const walk = (level: object, prefix: string, skipBelow: JsonPath | undefined): boolean => {
    for (const [name, value] of Object.entries(level)) {
      const isSkipWay = skipBelow !== undefined && skipBelow[0] === name;
      if (value === null || (isSkipWay && skipBelow.length === 1)) continue;
      const path = prefix + name;
      if (typeof value === 'object' && !Array.isArray(value)) {
        if (!walk(value, `${path}/`, isSkipWay ? skipBelow.slice(1) : undefined)) return false;
        continue;
      }
      if (fields.length === countMax) return false;
      fields.push({ path, value });
    }
    return true;
  };
  return walk(object, '', skip) ? fields : undefined;
}

/** A JSON value as it is stored: a string is its text, anything else its JSON text (DESIGN §7). */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether the number had more digits in the message than a double holds, such as a 64-bit counter. */
export function isRounded(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** JSON allows numbers beyond what a double holds; they would come out as null. */
export function isOverflow(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}
