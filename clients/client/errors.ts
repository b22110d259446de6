/** What this library itself refuses, or cannot do; all other codes come from a node (docs/ERRORS.md). */
export type ClientCode =
  | 'TIMEOUT'
  | 'OUTCOME_UNKNOWN'
  | 'OVERLOADED'
  | 'CLIENT_CLOSED'
  | 'LEASE_LOST'
  | 'UNAVAILABLE'
  | 'NOT_A_NODE'
  | 'INVALID_KEY'
  | 'INVALID_FILTER'
  | 'INVALID_REQUEST';

/**
 * An operation that failed: one sentence for people, and a code for programs. Codes are stable, sentences are not;
 * docs/ERRORS.md says what each code means and whether trying again helps.
 */
export class DssError extends Error {
  override readonly name = 'DssError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function clientError(code: ClientCode, message: string, cause?: unknown): DssError {
  return new DssError(code, message, cause === undefined ? undefined : { cause });
}

/** A packet that says why something was refused: by its reason code at least, in words and with our code at best. */
export interface RefusingPacket {
  readonly reasonCode: number;
  readonly reason?: string | undefined;
  readonly code?: string | undefined;
}

/** Of a CONNACK: MQTT 5 has no room for our codes there, but each of its own means one of ours. */
const CONNACK_CODES: Readonly<Record<number, string>> = {
  133: 'CLIENT_ID_TAKEN',
  134: 'BAD_CREDENTIALS',
  135: 'BAD_CREDENTIALS',
  137: 'TOO_MANY_LOGINS',
  138: 'TOO_MANY_REFUSALS',
  151: 'TOO_MANY_CONNECTIONS',
  159: 'TOO_MANY_CONNECTS',
};

export function connackError(reasonCode: number, message: string): DssError | undefined {
  const code = CONNACK_CODES[reasonCode];
  return code === undefined ? undefined : new DssError(code, message);
}

export function refusalError({ reasonCode, reason, code }: RefusingPacket): DssError {
  const words = reason ?? `the node refused it with reason code ${reasonCode}`;
  return new DssError(code ?? 'REFUSED', words);
}
