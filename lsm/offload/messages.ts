import { LsmError, type LsmErrorCode } from '../errors.ts';
import type { JobName } from './offload.ts';

export interface JobRequest {
  readonly id: number;
  readonly job: JobName;
  readonly input: unknown;
}

export type JobResponse =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly failure: JobFailure };

/** An error as plain data: a structured clone would lose its class and its code. */
export interface JobFailure {
  readonly isLsmError: boolean;
  readonly code: string | undefined;
  readonly message: string;
  readonly cause: unknown;
}

export function describeFailure(error: unknown): JobFailure {
  const { code } = error as { code?: unknown };
  return {
    isLsmError: error instanceof LsmError,
    code: typeof code === 'string' ? code : undefined,
    message: error instanceof Error ? error.message : String(error),
    cause: error instanceof LsmError ? error.cause : undefined,
  };
}

export function errorOf({ isLsmError, code, message, cause }: JobFailure): Error {
  if (isLsmError) return new LsmError(code as LsmErrorCode, message, { cause });
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
