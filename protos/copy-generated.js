// The compiler leaves JavaScript where it is, so the build copies the generated code beside its output,
// `dist` unless another directory is named.
import { cpSync } from 'node:fs';
import { join } from 'node:path';

const output = process.argv[2] ?? join(import.meta.dirname, '..', 'dist');
cpSync(join(import.meta.dirname, 'gen'), join(output, 'protos', 'gen'), { recursive: true });
