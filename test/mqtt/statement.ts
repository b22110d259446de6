/** What becomes of a normative statement of the specification. */
export interface Statement {
  /** In short; the specification has the full text. */
  readonly text: string;
  /** `server`: it has a test here. `elsewhere`: `why` is the file that shows it. */
  readonly kind: 'server' | 'client' | 'elsewhere' | 'not';
  readonly why?: string;
}

export function server(text: string): Statement {
  return { kind: 'server', text };
}

export function client(text: string): Statement {
  return { kind: 'client', text };
}

export function elsewhere(text: string, why: string): Statement {
  return { kind: 'elsewhere', text, why };
}

/** Not kept, or nothing to keep: `why` says which. */
export function not(text: string, why: string): Statement {
  return { kind: 'not', text, why };
}
