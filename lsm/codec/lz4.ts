import { createRequire } from 'node:module';
import type { BlockCodec } from './codec.ts';

/** LZ4 by an optional native library, whose own form begins with the raw length; `undefined` without it. */
export const lz4: BlockCodec | undefined = load();

interface Library {
  readonly compressSync: (raw: Uint8Array) => Uint8Array;
  readonly uncompressSync: (compressed: Uint8Array) => Uint8Array;
}

function load(): BlockCodec | undefined {
  const library = loadLibrary();
  if (library === undefined) return undefined;
  return {
    expansionMax: 255,
    compress: (block) => library.compressSync(block),
    decompress: (compressed) => {
      const raw = library.uncompressSync(compressed);
      // A Buffer is a class of its own: reading bytes is slower where both kinds come along.
      return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
    },
  };
}

function loadLibrary(): Library | undefined {
  try {
    return createRequire(import.meta.url)('lz4-napi');
  } catch {
    return undefined;
  }
}
