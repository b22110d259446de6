import type { Member } from '../membership/members.ts';
import type { Lease } from '../settings/settings.ts';

/** A source or sink as the whole cluster knows it: what its holder says, or that there is none. */
export interface LinkState {
  readonly name: string;
  readonly kind: string;
  readonly url: string;
  /** Name of the node that holds it; null: none does. */
  readonly holder: string | null;
  readonly connected: boolean;
  /** Since the holder started. */
  readonly messages: number;
  readonly ignored: number;
  readonly error: string;
}

export interface LinkFacts {
  readonly leases: readonly Lease[];
  readonly members: readonly Pick<Member, 'node' | 'name' | 'state' | 'heartbeat'>[];
}

/** By name. */
export function linkStates({ leases, members }: LinkFacts): LinkState[] {
  const states = new Map<string, LinkState>();
  for (const { node, name: nodeName, state, heartbeat } of members) {
    for (const { name = '', kind = '', url = '', ...progress } of heartbeat?.links ?? []) {
      const { connected = false, messages = 0, ignored = 0, error = '' } = progress;
      const isHolder = leases.some((lease) => lease.name === name && lease.node === node);
      if (isHolder && state !== 'failed') {
        const holder = { holder: nodeName, connected, messages, ignored, error };
        states.set(name, { name, kind, url, ...holder });
      } else if (!states.has(name)) {
        const nobody = { holder: null, connected: false, messages: 0, ignored: 0, error: '' };
        states.set(name, { name, kind, url, ...nobody });
      }
    }
  }
  return [...states.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those that are held, but not connected, with a sentence for people. Without a reason one is just about to be. */
export function linksDown(facts: LinkFacts): { readonly name: string; readonly message: string }[] {
  return linkStates(facts)
    .filter(({ connected, error }) => !connected && error !== '')
    .map(({ kind, name, url, holder, error }) => ({
      name,
      message: `The ${kind} ${name} is held by ${holder}, which is not connected to ${url}: ${error}.`,
    }));
}
