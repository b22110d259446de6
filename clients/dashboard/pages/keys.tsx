import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { loadLevel, reloadTree, revealKey, treeRows } from '../api/key-tree.ts';
import { Empty, Panel } from '../parts/panel.tsx';
import { go, route } from '../router.ts';
import { KeyDetail } from './key-detail.tsx';
import { KeyForm } from './key-form.tsx';
import { KeySearch } from './key-search.tsx';
import { KeyTree } from './key-tree.tsx';

export function KeysPage() {
  const { subject: key, query } = route.value;
  const search = useSignal(query.get('search') ?? '');
  const isNew = query.has('new');
  useEffect(() => {
    if (key !== undefined) void revealKey(key);
    else if (treeRows.peek().length === 0) void loadLevel(undefined);
  }, [key]);
  return (
    <div class={`keys-page${key === undefined && !isNew ? '' : ' has-detail'}`}>
      <section class="panel key-list" aria-label="Keys">
        <div class="key-tools">
          <input
            type="search"
            aria-label="Search keys that begin with"
            placeholder="Keys that begin with…"
            value={search.value}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              search.value = event.currentTarget.value;
            }}
          />
          <button type="button" onClick={() => void reloadTree()} title="Read the tree again">
            Reload
          </button>
          <a class="button" href="#/keys?new">
            New
          </a>
        </div>
        {search.value === '' ? (
          <KeyTree chosen={key} />
        ) : (
          <KeySearch text={search.value} chosen={key} />
        )}
      </section>
      <div class="key-side">
        {(key !== undefined || isNew) && (
          <a class="back" href="#/keys">
            ← all keys
          </a>
        )}
        {isNew ? (
          <Panel title="New key">
            <KeyForm
              onDone={(stored) => {
                void reloadTree();
                go('keys', stored);
              }}
              onCancel={() => go('keys')}
            />
          </Panel>
        ) : key === undefined ? (
          <Empty>Choose a key: its value is shown as it changes.</Empty>
        ) : (
          <KeyDetail key={key} name={key} />
        )}
      </div>
    </div>
  );
}
