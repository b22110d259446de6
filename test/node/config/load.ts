import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { loadNodeOptions } from '../../../node/config/config.ts';
import type { ConfigSources } from '../../../node/config/origin.ts';
import { NodeError } from '../../../node/errors.ts';

/** Removed with everything in it after the tests of a file. */
export const directory = mkdtempSync(join(tmpdir(), 'dss-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
export function fileWith(content: string): string {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, content);
  return path;
}

export function load(sources: Partial<ConfigSources>) {
  return loadNodeOptions({ flags: {}, environment: {}, ...sources });
}

/** The sentence by which these are refused. */
export function complaint(sources: Partial<ConfigSources>): string {
  try {
    load(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(NodeError);
    expect((error as NodeError).code).toBe('CONFIG_INVALID');
    const { message } = error as NodeError;
    expect(message, 'one line').not.toContain('\n');
    expect(message, 'a sentence').toMatch(/\.$/);
    return message;
  }
  throw new Error('this was accepted');
}
