import { NodeError } from '../errors.ts';

export function invalid(message: string): NodeError {
  return new NodeError('CONFIG_INVALID', message);
}

/** Of a message by somebody else, for the end of a sentence of ours. */
export function firstLine(error: unknown): string {
  const line = String((error as Error).message).split('\n')[0] ?? '';
  return line.replace(/[:.]$/, '');
}
