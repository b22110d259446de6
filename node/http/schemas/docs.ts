import { json, refusals } from './common.ts';

export const OPENAPI_DOCUMENT = {
  tags: ['Documents'],
  summary: 'This document',
  operationId: 'getOpenApi',
  response: { 200: json('OpenAPI 3.1.', { type: 'object' }), ...refusals() },
} as const;
