import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPENAPI_FILE } from '../support/openapi.ts';
import { compared, examplesOf } from './support/doc-examples.ts';
import { runProcess, temporaryDirectory } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 3 });
});
afterAll(() => cluster?.close());
printLogsOnFailure(() => cluster);

describe('docs/HTTP.md', () => {
  const path = new URL('../../docs/HTTP.md', import.meta.url);
  const examples = examplesOf(readFileSync(path, 'utf8'));
  let directory: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each(examples)('prints at line $line what it says', async ({ script, expected }) => {
    const { httpUrl } = cluster.node(1);
    const here = script.replaceAll('http://127.0.0.1:8080', httpUrl);
    const run = await runProcess('sh', ['-e', '-c', `cd ${directory}\n${here}`]);
    const printed = run.stdout === '' ? [] : run.stdout.trimEnd().split('\n');
    expect(compared(printed, expected), run.stderr).toEqual(expected);
    expect(run.code).toBe(0);
  });
});

type Schema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { content?: Record<string, { schema: Schema }>; headers?: Schema }>
  >;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  readonly body: unknown;
}

describe('the OpenAPI document', () => {
  const document = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8'));
  const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, found]) => ({ ...found, method, path })),
    )
    .map((operation) => [operation.operationId, operation] as const);

  /** What to ask of each operation, in an order in which it can be answered. */
  const requests: readonly (readonly [id: string, query: string, body?: string])[] = [
    ['putValue', 'openapi/a?ttl=600', '{"a":1}'],
    ['getValue', 'openapi/a'],
    ['writeBatch', '?prefix=openapi', '[{"key":"b","base64":"/w=="}]'],
    ['listKeys', '?prefix=openapi'],
    ['getHistory', 'openapi/a'],
    ['watchValues', '?filter=openapi/%23'],
    ['deleteValue', 'openapi/b'],
    ['getCluster', ''],
    ['getPlace', '?key=openapi'],
    ['getMoves', ''],
    ['getEvents', ''],
    ['getRefusals', ''],
    ['getAlerts', ''],
    ['getConfig', ''],
    ['getMetrics', ''],
    ['debugRaft', ''],
    ['debugLog', '1?limit=5'],
    ['debugLoop', ''],
    ['debugProfile', '?seconds=0.2'],
    ['listNodes', ''],
    ['setWeight', 'n1', '{"weight":1}'],
    ['setRetention', '', '{"prefix":"openapi","keep":"1d"}'],
    ['getRetention', ''],
    ['removeRetention', '?prefix=openapi'],
    ['addIngest', '', '{"filter":"openapi/in/#"}'],
    ['tryIngest', '', '{"topic":"openapi/in/a","payload":"1"}'],
    ['getIngest', ''],
    ['removeIngest', '?name=openapi/in/%23'],
    ['verify', '', '{"group":1}'],
    ['getVerification', ''],
    ['getHealth', ''],
    ['getReadiness', ''],
    ['getOpenApi', ''],
    ['leaveNode', 'n3'],
  ];

  it('has no operation that is not exercised here', () => {
    expect(requests.map(([id]) => id).toSorted()).toEqual(operations.map(([id]) => id).toSorted());
  });

  it.each(requests)('%s %s answers as it says', async (id, query, body) => {
    const [, operation] = operations.find(([operationId]) => operationId === id) ?? [];
    if (operation === undefined) throw new Error(`there is no ${id}`);
    const answer = await ask(operation.method, address(operation.path, query ?? ''), body);
    const described = operation.responses[answer.status];
    expect(described, `${answer.status} ${JSON.stringify(answer.body)}`).toBeDefined();
    expect(answer.status).toBeLessThan(300);
    for (const name of Object.keys(described?.headers ?? {})) {
      if (name !== 'DSS-Expires') expect(answer.headers.has(name), name).toBe(true);
    }
    if (described?.content === undefined) return;
    const { schema } = described.content[answer.type] ?? { schema: undefined };
    expect(schema, `the type ${answer.type}`).toBeDefined();
    expect(mismatches(schema as Schema, answer.body)).toEqual([]);
  });

  it('is what the node serves, and a page beside it', async () => {
    const served = await ask('get', `${cluster.node(0).httpUrl}/docs/openapi.json`);
    expect(served.body).toEqual(document);
    for (const [path, type] of [
      ['/docs', 'text/html'],
      ['/docs/page.js', 'text/javascript'],
      ['/docs/page.css', 'text/css'],
    ]) {
      const { status, type: said } = await ask('get', cluster.node(0).httpUrl + path);
      expect([status, said]).toEqual([200, type]);
    }
  });

  function address(path: string, query: string): string {
    const [name = '', ...parameters] = query.split('?');
    const filled = path.replace(/\{\w+\}/, name);
    return cluster.node(0).httpUrl + filled + ['', ...parameters].join('?');
  }
});

/** A stream is read until the snapshot is whole. */
async function ask(method: string, url: string, body?: string): Promise<Answer> {
  const isJson = body !== undefined && !url.includes('/v1/kv/');
  const gone = new AbortController();
  const response = await fetch(url, {
    method: method.toUpperCase(),
    signal: gone.signal,
    ...(body === undefined ? {} : { body }),
    headers: isJson ? { 'content-type': 'application/json' } : {},
  });
  const { status, headers } = response;
  const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (type === 'text/event-stream') {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk);
      if (text.includes('snapshot-complete')) break;
    }
    gone.abort();
    return { status, type, headers, body: text };
  }
  const text = await response.text();
  return { status, type, headers, body: type.includes('json') ? JSON.parse(text) : text };
}

/** Where a value is not what the schema says: the words of JSON Schema that ours use. */
function mismatches(schema: Schema, value: unknown, at = '$'): string[] {
  const { type, required, properties, additionalProperties, items } = schema as {
    type?: string | string[];
    required?: string[];
    properties?: Record<string, Schema>;
    additionalProperties?: boolean;
    items?: Schema;
  };
  const found: string[] = [];
  const types = [type ?? []].flat();
  if (types.length > 0 && !types.some((each) => isOfType(each, value))) {
    return [`${at} is no ${types.join(' or ')}: ${JSON.stringify(value)}`];
  }
  if ('const' in schema && schema.const !== value) found.push(`${at} is not ${schema.const}`);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) found.push(`${at} is ${value}`);
  if (Array.isArray(value) && items !== undefined) {
    value.forEach((each, i) => {
      found.push(...mismatches(items, each, `${at}[${i}]`));
    });
  } else if (isOfType('object', value)) {
    const object = value as Record<string, unknown>;
    for (const name of required ?? []) if (!(name in object)) found.push(`${at} has no ${name}`);
    for (const [name, member] of Object.entries(object)) {
      const known = properties?.[name];
      if (known !== undefined) found.push(...mismatches(known, member, `${at}.${name}`));
      else if (additionalProperties === false) found.push(`${at} has ${name}`);
    }
  }
  return found;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === type;
}
