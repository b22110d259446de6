import { whyNot } from './errors.ts';
import type { HttpDoor } from './http.ts';
import type { NodeStatus, StatusDocument } from './status-document.ts';

export interface Answers<T> {
  readonly answers: readonly T[];
  readonly silent: readonly { readonly node: string; readonly why: string }[];
}

/** Asks the nodes that `first` knows beside itself, each where it says that it is. */
export async function askOthers<T>(
  door: HttpDoor,
  first: StatusDocument,
  ask: (door: HttpDoor) => Promise<T>,
): Promise<Answers<T>> {
  const others = first.nodes.filter(({ id }) => id !== first.node.id);
  const scheme = isSecure(door) ? 'https' : 'http';
  const answers: T[] = [];
  const silent: { node: string; why: string }[] = [];
  const asked = await Promise.allSettled(
    others.map(async ({ http }) => {
      if (http === null) throw new Error('nobody has heard of its address');
      return await ask({ ...door, bases: `${scheme}://${http}` });
    }),
  );
  for (const [index, one] of asked.entries()) {
    const { name: node } = others[index] as NodeStatus;
    if (one.status === 'fulfilled') answers.push(one.value);
    else silent.push({ node, why: whyNot(one.reason) });
  }
  return { answers, silent };
}

/** Nodes speak TLS at both doors, or at none. */
export function isSecure({ bases }: HttpDoor): boolean {
  return [bases].flat().some((base) => base.startsWith('https:'));
}
