import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adviceOf, RULE_NAMES, RULES, type Rule } from '../../../node/alerts/rules.ts';

const document = readFileSync(new URL('../../../docs/ALERTS.md', import.meta.url), 'utf8');

/** What stands under `### rule`. */
function section(rule: string): string {
  const [, rest = ''] = document.split(`\n### ${rule}\n`);
  return rest.split(/\n##+ /)[0] ?? '';
}

function whenItFires({ severity, threshold, unit, forSeconds }: Rule): string {
  const from = threshold === null ? '' : `from ${threshold} ${unit.replace(/^% /, '% ')} on, `;
  const after = forSeconds === 0 ? 'at once' : `after ${forSeconds} s`;
  return `*${severity}; ${from}${after}*`;
}

describe('docs/ALERTS.md', () => {
  it('has a section for every rule, and for no other', () => {
    const sections = [...document.matchAll(/^### (.*)$/gm)].map(([, rule]) => rule);
    expect(sections).toEqual(RULE_NAMES);
  });

  it.each(RULE_NAMES)('says of %s what the table says', (rule) => {
    const text = section(rule);
    expect(text).toContain(whenItFires(RULES[rule]));
    expect(text).toContain(RULES[rule].description);
    expect(text).toContain(adviceOf(rule, '`<subject>`'));
  });
});
