import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from '../api/ask.ts';
import type { WhereDocument } from '../model/documents.ts';
import { formatRoute } from '../model/route.ts';
import { NodeName } from '../parts/node-name.tsx';

/** The shard and the nodes that keep a key, as lines of a list of facts. */
export function KeyPlace({ name }: { readonly name: string }) {
  const place = useSignal<WhereDocument | undefined>(undefined);
  useEffect(() => {
    void ask<WhereDocument>('v1/where', { query: { key: name } }).then((answer) => {
      if (answer.kind === 'ok') place.value = answer.body;
    });
  }, [name, place]);
  if (place.value === undefined) return null;
  const { group, leader, replicas } = place.value;
  return (
    <>
      <dt>Kept in</dt>
      <dd class="names">
        <a href={formatRoute('ring', String(group))}>shard {group}</a>
        {replicas.map((node) => (
          <NodeName key={node} name={node} isLeader={node === leader} />
        ))}
      </dd>
    </>
  );
}
