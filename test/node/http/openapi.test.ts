import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import { describeRoutes, EVERY_ROUTE, OPENAPI_FILE } from '../../support/openapi.ts';

const folder = join(import.meta.dirname, '../../../node/http');

it('the document describes all routes of a node as they are (npm run openapi)', async () => {
  const text = `${JSON.stringify(await describeRoutes(), null, 2)}\n`;
  if (process.env.UPDATE === '1') writeFileSync(OPENAPI_FILE, text);
  expect(readFileSync(OPENAPI_FILE, 'utf8')).toBe(text);
});

it('no module of routes is left out', () => {
  const modules = readdirSync(folder).filter((name) => name.endsWith('-routes.ts'));
  const exported = modules.flatMap((name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    return [...source.matchAll(/^export function (\w+Routes)\(/gm)].map(([, found]) => found);
  });
  expect(exported.toSorted()).toEqual(Object.keys(EVERY_ROUTE).toSorted());
});

it('the document is valid OpenAPI 3.1, and every operation says what it is', async () => {
  const document = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8'));
  const { valid, errors } = await new Validator().validate(document);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.values(document.paths as Record<string, object>).flatMap(Object.values);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(operations.length);
  for (const { operationId, summary, tags } of operations) {
    expect({ operationId, summary, tags }).toEqual({
      operationId: expect.any(String),
      summary: expect.any(String),
      tags: [expect.any(String)],
    });
  }
});
