import type { Operation } from './history.ts';

/** Beyond this many columns the oldest are cut off: what fails is at the end. */
const WIDTH_MAX = 180;

/**
 * A history as text: a line for each client and as many as it needs, time from left to right in the order of
 * calls and returns, `|- put a -> @2 -|`. What has no end was told nothing. Versions are numbered in their order.
 */
export function picture(history: readonly Operation[]): string {
  const operations = withShortVersions(history);
  const moments = operations
    .flatMap(({ calledAt, returnedAt }) => [calledAt, returnedAt])
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const columns = columnsOf(operations, moments);
  const lanes: { readonly client: string; text: string }[] = [];
  for (const operation of [...operations].sort((a, b) => a.calledAt - b.calledAt)) {
    const start = columns.get(operation.calledAt) as number;
    let lane = lanes.find(({ client, text }) => client === operation.client && text.length < start);
    if (lane === undefined) lanes.push((lane = { client: operation.client, text: '' }));
    lane.text = lane.text.padEnd(start) + bar(operation, start, columns);
  }
  const nameWidth = Math.max(0, ...lanes.map(({ client }) => client.length));
  const width = Math.max(0, ...lanes.map(({ text }) => text.length));
  const from = Math.max(0, width - WIDTH_MAX);
  return lanes
    .filter(({ text }) => text.length > from)
    .sort((a, b) => a.client.localeCompare(b.client))
    .map(({ client, text }) => `${client.padEnd(nameWidth)}  ${text.slice(from)}`.trimEnd())
    .join('\n');
}

function withShortVersions(operations: readonly Operation[]): Operation[] {
  const versions = new Set<number>();
  for (const { request, outcome } of operations) {
    if (request.kind === 'cas' && request.ifVersion !== null) versions.add(request.ifVersion);
    if ('version' in outcome && outcome.version !== null) versions.add(outcome.version);
  }
  versions.delete(0);
  const order = [...versions].sort((a, b) => a - b);
  const short = (version: number) => order.indexOf(version) + 1;
  return operations.map((operation) => {
    const { request, outcome } = operation;
    const isNumbered = 'version' in outcome && outcome.version !== null;
    return {
      ...operation,
      request:
        request.kind === 'cas' && request.ifVersion !== null
          ? { ...request, ifVersion: short(request.ifVersion) }
          : request,
      outcome: isNumbered ? { ...outcome, version: short(outcome.version as number) } : outcome,
    };
  });
}

/** Every moment is so far from the one before that the labels between them have room. */
function columnsOf(
  operations: readonly Operation[],
  moments: readonly number[],
): Map<number, number> {
  const columns = new Map<number, number>();
  const byEnd = new Map(operations.map((operation) => [operation.returnedAt, operation]));
  let column = 0;
  for (const moment of moments) {
    const ended = byEnd.get(moment);
    if (ended !== undefined) {
      const start = columns.get(ended.calledAt) as number;
      column = Math.max(column, start + label(ended).length + 5);
    }
    columns.set(moment, column);
    column += 3;
  }
  return columns;
}

function bar(operation: Operation, start: number, columns: Map<number, number>): string {
  const end = columns.get(operation.returnedAt);
  const text = `|- ${label(operation)} `;
  return end === undefined ? `${text}- - ?` : `${text.padEnd(end - start, '-')}|`;
}

/** What was asked, and what came of it: `cas @3=b -> lost to @4`. */
function label({ request, outcome }: Operation): string {
  return `${asked(request)}${told(outcome)}`;
}

function asked(request: Operation['request']): string {
  const value = (text: string) => (text === '' ? 'delete' : text);
  if (request.kind === 'get') return 'get';
  if (request.kind === 'put') return request.value === '' ? 'delete' : `put ${request.value}`;
  return `cas ${request.ifVersion === null ? 'none' : `@${request.ifVersion}`}=${value(request.value)}`;
}

function told(outcome: Operation['outcome']): string {
  switch (outcome.kind) {
    case 'written':
      return outcome.version === 0 ? ' -> ok' : ` -> @${outcome.version}`;
    case 'won':
      return ` -> won @${outcome.version}`;
    case 'lost':
      return ` -> lost to ${outcome.version === null ? 'none' : `@${outcome.version}`}`;
    case 'found':
      return ` -> ${outcome.value}@${outcome.version}`;
    case 'not-found':
      return ' -> none';
    case 'failed':
      return ' -> failed';
    case 'unknown':
      return '';
  }
}
