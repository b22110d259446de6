import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { CliError, fileError } from '../errors.ts';
import { checkPrefix } from '../key.ts';
import type { Shell } from '../shell.ts';
import { plural } from '../table.ts';
import type { BatchCounts, BatchElement } from '../transfer/batch-writer.ts';
import { ProgressBar } from '../transfer/progress-bar.ts';
import { malformed, toRecord } from '../transfer/record.ts';
import { type ByteStream, openSource, readNdjson, type Sourced } from '../transfer/sources.ts';

export function defineBatch(self: Command, shell: Shell): void {
  self
    .argument('[file]', 'JSON objects, one a line, or one JSON array; - is standard input', '-')
    .option('--prefix <prefix>', 'keys are <prefix>/<key>', '')
    .addHelpText(
      'after',
      `
Each object has "key" and one of "value" (text, or any JSON), "base64", "delete": true; and if you like
"time" (milliseconds since 1970, or 2026-11-20T08:00:00Z) and "ttl" (seconds).
They are sent in messages of up to 500. One that is refused is not stored at all, the ones before it are.
Examples:
  echo '{"key":"temp","value":21.5,"time":"2026-11-20T08:00:00Z"}' | dss batch --prefix plant1/dev42
  dss batch readings.ndjson`,
    )
    .action(async (file: string, _options, command: Command) => {
      const { prefix } = shell.options<{ prefix: string }>(command);
      checkPrefix(prefix);
      const stream = file === '-' ? (shell.streams.stdin as ByteStream) : await openSource(file);
      const bar = new ProgressBar(shell.output);
      const counts = await store(shell, command, readElements(stream), prefix, bar)
        .catch((error) => {
          throw error instanceof CliError ? error : fileError('cannot read', file, error);
        })
        .finally(() => bar.end());
      const result = { ok: true, ...counts, ...bar.summary(counts.writes) };
      shell.output.result(
        result,
        () => `stored ${plural(counts.writes, 'value')} in ${plural(counts.messages, 'message')}`,
      );
    });
}

async function store(
  shell: Shell,
  command: Command,
  elements: AsyncIterable<Sourced<unknown>>,
  prefix: string,
  bar: ProgressBar,
): Promise<BatchCounts> {
  const { BatchWriter } = await import('../transfer/batch-writer.ts');
  return shell.withConnection(command, async (node) => {
    const writer = new BatchWriter(node, prefix);
    for await (const { item, ...place } of elements) {
      await writer.add(toRecord(item, place.place) as BatchElement, place);
      bar.update({ items: writer.counts.writes });
    }
    await writer.flush();
    return writer.counts;
  });
}

/** An array is taken whole, lines as they come. */
async function* readElements(stream: ByteStream): AsyncGenerator<Sourced<unknown>> {
  const chunks = stream[Symbol.asyncIterator]();
  let head = '';
  let first = await chunks.next();
  const seen: (Buffer | string)[] = [];
  for (; !first.done; first = await chunks.next()) {
    seen.push(first.value);
    head += first.value.toString('utf8');
    if (head.trim() !== '') break;
  }
  const whole = chain(seen, chunks);
  if (!head.trimStart().startsWith('[')) return yield* readNdjson(whole);
  const text = (await buffer(whole)).toString('utf8');
  for (const [index, item] of parseArray(text).entries()) {
    yield { item, place: `element ${index}`, line: 0, endBytes: 0 };
  }
}

async function* chain(
  seen: readonly (Buffer | string)[],
  rest: AsyncIterator<Buffer | string>,
): AsyncGenerator<Buffer | string> {
  yield* seen;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

function parseArray(text: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch (cause) {
    throw malformed(`the input begins as a JSON array, but: ${(cause as Error).message}`, cause);
  }
}
