import { corruption } from '../corruption.ts';
import { LsmError } from '../errors.ts';

/** What LevelDB met, as an error of the engine. `doing`: a sentence's beginning, such as "a read failed". */
export function levelError(error: unknown, directory: string, doing: string): LsmError {
  if (error instanceof LsmError) return error;
  const causes = causesOf(error);
  const reason = causes.at(-1)?.message ?? String(error);
  const codes = causes.map(({ code }) => code);
  // LevelDB names neither file nor offset.
  if (codes.includes('LEVEL_CORRUPTION'))
    return corruption(directory, 0, 'a sound LevelDB', reason);
  if (codes.includes('LEVEL_LOCKED')) {
    const message = `${directory} is open already: ${reason}`;
    return new LsmError('DIRECTORY_IN_USE', message, { cause: error });
  }
  return new LsmError('ENGINE_FAILED', `${doing} in ${directory}: ${reason}`, { cause: error });
}

/** From the outermost to what began it. */
function causesOf(error: unknown): readonly (Error & { readonly code?: unknown })[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error; each = each.cause) causes.push(each);
  return causes;
}
