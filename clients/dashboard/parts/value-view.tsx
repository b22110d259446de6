import { hex, type Value } from '../model/value.ts';
import { Scroller } from './panel.tsx';

const BYTES_SHOWN_MAX = 4_096;
const CHARACTERS_SHOWN_MAX = 200_000;
/** Every colour is an element: longer documents do without. */
const CHARACTERS_COLOURED_MAX = 20_000;

/** A value as it is best read. */
export function ValueView({ value }: { readonly value: Value }) {
  if (value.kind === 'number') return <p class="big-number">{value.text.trim()}</p>;
  return (
    <Scroller label="Value">
      <pre class={value.kind === 'json' ? '' : 'wrapped'}>{contentOf(value)}</pre>
    </Scroller>
  );
}

function contentOf(value: Exclude<Value, { kind: 'number' }>) {
  switch (value.kind) {
    case 'json':
      return <Json text={cut(JSON.stringify(value.json, undefined, 2))} />;
    case 'text':
      return cut(value.text);
    case 'binary':
      return `${hex(value.bytes.subarray(0, BYTES_SHOWN_MAX))}${value.size > BYTES_SHOWN_MAX ? ' …' : ''}`;
  }
}

function cut(text: string): string {
  return text.length > CHARACTERS_SHOWN_MAX ? `${text.slice(0, CHARACTERS_SHOWN_MAX)}…` : text;
}

/** Names, texts and numbers told apart. */
function Json({ text }: { readonly text: string }) {
  if (text.length > CHARACTERS_COLOURED_MAX) return <>{text}</>;
  const parts = text.split(/("(?:\\.|[^"\\])*"(?:\s*:)?)|(-?\d[\d.eE+-]*|true|false|null)/g);
  return (
    <>
      {parts.map((part, at) => {
        if (part === undefined || part === '') return null;
        if (at % 3 === 0) return part;
        const kind = at % 3 === 2 ? 'literal' : part.endsWith(':') ? 'name' : 'text';
        return (
          <span key={at} class={`json-${kind}`}>
            {part}
          </span>
        );
      })}
    </>
  );
}
