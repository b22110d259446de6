import { hex, type Value } from '../model/value.ts';

const BYTES_SHOWN_MAX = 4_096;
const CHARACTERS_SHOWN_MAX = 200_000;

/** A value as it is best read. */
export function ValueView({ value }: { readonly value: Value }) {
  switch (value.kind) {
    case 'number':
      return <p class="big-number">{value.text.trim()}</p>;
    case 'json':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <pre tabIndex={0} aria-label="Value">
          <Json text={cut(JSON.stringify(value.json, undefined, 2))} />
        </pre>
      );
    case 'text':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <pre class="wrapped" tabIndex={0} aria-label="Value">
          {cut(value.text)}
        </pre>
      );
    case 'binary':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <pre class="wrapped" tabIndex={0} aria-label="Value">
          {hex(value.bytes.subarray(0, BYTES_SHOWN_MAX))}
          {value.size > BYTES_SHOWN_MAX ? ' …' : ''}
        </pre>
      );
  }
}

function cut(text: string): string {
  return text.length > CHARACTERS_SHOWN_MAX ? `${text.slice(0, CHARACTERS_SHOWN_MAX)}…` : text;
}

/** Names, texts and numbers told apart. Long documents are left as they are: every colour is an element. */
function Json({ text }: { readonly text: string }) {
  if (text.length > 20_000) return <>{text}</>;
  const parts = text.split(/("(?:\\.|[^"\\])*"(?:\s*:)?)|(-?\d[\d.eE+-]*|true|false|null)/g);
  return (
    <>
      {parts.map((part, at) => {
        if (part === undefined || part === '') return null;
        if (at % 3 === 0) return part;
        const kind = at % 3 === 2 ? 'literal' : part.endsWith(':') ? 'name' : 'text';
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text have no other name.
          <span key={at} class={`json-${kind}`}>
            {part}
          </span>
        );
      })}
    </>
  );
}
