import { join } from 'node:path';
import { createViteServer } from 'vitest/node';
import type { simulate as Simulate } from '../simulation.ts';

/** One exact piece of a source file, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly snippet: string;
  readonly replacement: string;
}

const root = join(import.meta.dirname, '../../..');

/**
 * Loads the simulator and everything below it anew, with these edits made as the files are read, and hands it to
 * `use`. The sources know nothing of it.
 * @throws if a snippet does not occur exactly once: then the defect is planted nowhere, and has to be looked at
 */
export async function withPlanted<T>(
  edits: readonly Edit[],
  use: (simulate: typeof Simulate) => Promise<T>,
): Promise<T> {
  const left = new Set(edits);
  const server = await createViteServer({
    root,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, watch: null, hmr: false, ws: false },
    plugins: [
      {
        name: 'planted-defect',
        enforce: 'pre',
        transform(code, id) {
          let edited = code;
          for (const edit of edits) {
            if (id !== join(root, edit.file)) continue;
            edited = plant(edited, edit);
            left.delete(edit);
          }
          return edited;
        },
      },
    ],
  });
  try {
    const { simulate } = await server.ssrLoadModule(join(root, 'test/sim/simulation.ts'));
    for (const { file } of left) throw new Error(`${file} was never loaded`);
    return await use(simulate as typeof Simulate);
  } finally {
    await server.close();
  }
}

export function plant(code: string, { file, snippet, replacement }: Edit): string {
  const count = code.split(snippet).length - 1;
  if (count !== 1) throw new Error(`${file} has this ${count} times, not once: ${snippet}`);
  return code.replace(snippet, () => replacement);
}
