import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const source = import.meta.dirname;
const target = join(source, '../../dist/clients/dashboard');

/** Built once here, so that no small machine compresses anything when it serves a page. */
const compressed: Plugin = {
  name: 'compressed',
  closeBundle() {
    for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
      if (!/\.(html|js|css|svg)$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const content = readFileSync(path);
      const level = constants.Z_BEST_COMPRESSION;
      writeFileSync(`${path}.gz`, gzipSync(content, { level }));
      writeFileSync(`${path}.br`, brotliCompressSync(content));
    }
  },
};

export default defineConfig({
  root: source,
  // Relative, so that it works behind a proxy that serves it below a path.
  base: './',
  envDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: target,
    emptyOutDir: true,
    target: 'es2022',
    // A script in the page would need `unsafe-inline`; browsers that load modules load them ahead by themselves.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // A busy machine is nothing to warn of.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  plugins: [compressed],
});
