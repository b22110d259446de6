/** Who can reach the nodes of a local cluster, as flags of `dss node`. */
export interface Reach {
  readonly listen?: string | undefined;
  readonly advertise?: string | undefined;
  readonly anonymous?: true | undefined;
  readonly config?: string | undefined;
}

const LOOPBACK = '127.0.0.1';

/** How nodes that listen there are reached from this machine, as in a URL: everywhere is also here. */
export function hostOf(listen = LOOPBACK): string {
  if (listen === '0.0.0.0' || listen === '::') return LOOPBACK;
  return listen.includes(':') ? `[${listen}]` : listen;
}

/** Whether other machines can reach what listens there. */
export function isOpen(listen = LOOPBACK): boolean {
  return listen !== 'localhost' && listen !== '::1' && !listen.startsWith('127.');
}
