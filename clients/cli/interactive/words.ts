import { usageError } from '../errors.ts';

/**
 * The words of a line, as a POSIX shell takes them: single quotes keep everything, double quotes and nothing around
 * let a backslash keep the next character. There are no variables, no globs, and `#` begins a comment only where a
 * line does.
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i] as string;
    if (quote !== "'" && character === '\\') {
      i += 1;
      word = (word ?? '') + (line[i] ?? '');
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== '') throw usageError(`the line has a ${quote} that nothing closes`);
  if (word !== undefined) words.push(word);
  return words;
}

/** Such that `splitWords` gives it back as one word. */
export function escapeWord(word: string): string {
  return word.replace(/[\s'"\\]/g, '\\$&');
}

/** The last word of an unfinished line, as it stands there; undefined inside quotes. */
export function unfinishedWord(line: string): string | undefined {
  if (/(?<!\\)['"]/.test(line)) return undefined;
  return /(?:\\.|[^\s\\])*$/.exec(line)?.[0];
}

export function unescapeWord(word: string): string {
  return word.replace(/\\(.)/g, '$1');
}
