import { expect, it } from 'vitest';
import { isCrossSiteChange } from '../../../node/http/cross-site.ts';

const host = 'gw1.lan:8080';

it.each([
  ['a program', 'PUT', {}, false],
  ['this page', 'PUT', { origin: 'http://gw1.lan:8080', 'sec-fetch-site': 'same-origin' }, false],
  ['an old browser with this page', 'POST', { origin: 'https://gw1.lan:8080' }, false],
  ['whoever only looks', 'GET', { origin: 'http://evil.example' }, false],
  ['another site', 'POST', { origin: 'http://evil.example' }, true],
  [
    'another port',
    'DELETE',
    { origin: 'http://gw1.lan:1880', 'sec-fetch-site': 'same-site' },
    true,
  ],
  ['a page without an origin', 'POST', { origin: 'null' }, true],
  ['another site, whatever it says', 'POST', { 'sec-fetch-site': 'cross-site' }, true],
])('%s with %s', (_, method, headers, expected) => {
  expect(isCrossSiteChange({ method, headers: { host, ...headers } })).toBe(expected);
});
