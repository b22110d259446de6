import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FILES_NOT_YET, NOT_YET_V5, NOT_YET_V311 } from './not-yet.ts';
import type { Statement } from './statement.ts';
import { V5 } from './statements-v5.ts';
import { V311 } from './statements-v311.ts';

const TABLE = new URL('../../docs/MQTT-STATEMENTS.md', import.meta.url).pathname;

interface Found {
  readonly id: string;
  /** As in `v311/connect`. */
  readonly file: string;
}

/** The statements that the files of a folder test. */
function testsIn(folder: 'v311' | 'v5'): Found[] {
  const directory = new URL(`${folder}/`, import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith('.test.ts'));
  return files.flatMap((name) => {
    const text = readFileSync(new URL(name, directory), 'utf8');
    const file = `${folder}/${name.slice(0, -'.test.ts'.length)}`;
    // `keeps('[…]'`, or a list of statements that are tested alike: `['[…]', …]`.
    const ids = [...text.matchAll(/(?:keeps\(|^ {2}\[)'(\[MQTT-[\d.-]+\])'/gm)];
    return ids.map(([, id]) => ({ id: id as string, file }));
  });
}

interface Part {
  readonly title: string;
  readonly statements: Readonly<Record<string, Statement>>;
  readonly tests: readonly Found[];
  readonly notYet: Readonly<Record<string, string>>;
}

const PARTS: readonly Part[] = [
  { title: 'MQTT 3.1.1', statements: V311, tests: testsIn('v311'), notYet: NOT_YET_V311 },
  { title: 'MQTT 5', statements: V5, tests: testsIn('v5'), notYet: NOT_YET_V5 },
];

function row(part: Part, id: string, { text, kind, why = '' }: Statement): string {
  const test = part.tests.find((found) => found.id === id);
  const file = test === undefined ? '' : `\`${test.file}\``;
  const cells = {
    server: [whetherKept(part, id, test?.file ?? ''), file],
    client: ['concerns clients', ''],
    elsewhere: ['kept', `\`${why}\``],
    not: [`no test: ${why}`, ''],
  }[kind];
  return `| ${id.slice(1, -1)} | ${text.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`;
}

function whetherKept({ notYet }: Part, id: string, file: string): string {
  const why = notYet[id] ?? FILES_NOT_YET[file];
  return why === undefined ? 'kept' : `not yet: ${why}`;
}

function table(part: Part): string {
  const ids = Object.entries(part.statements);
  const ofServer = ids.filter(([, { kind }]) => kind === 'server');
  const kept = ofServer.filter(([id]) => {
    const file = part.tests.find((found) => found.id === id)?.file ?? '';
    return whetherKept(part, id, file) === 'kept';
  });
  return [
    `## ${part.title}`,
    '',
    `${ids.length} statements. ${ofServer.length} have a test, and ${kept.length} of them are kept.`,
    '',
    '| statement | in short | kept | test |',
    '|---|---|---|---|',
    ...ids.map(([id, statement]) => row(part, id, statement)),
    '',
  ].join('\n');
}

const HEAD = `# What MQTT demands, and what is kept

Every numbered normative statement of the two specifications, with the test that shows it on a TCP connection:
\`test/mqtt/<test>.test.ts\`, under the statement's own name. Written by \`npx vitest run test/mqtt/table -u\`.
`;

describe('the table of statements', () => {
  for (const { title, statements, tests, notYet } of PARTS) {
    const wanted = Object.entries(statements).filter(([, { kind }]) => kind === 'server');

    it(`${title}: every statement that concerns a server has one test, no other has one`, () => {
      const tested = tests.map(({ id }) => id).sort();
      expect(tested).toEqual(wanted.map(([id]) => id).sort());
    });

    it(`${title}: what is not kept yet is a statement with a test`, () => {
      const known = new Set(wanted.map(([id]) => id));
      expect(Object.keys(notYet).filter((id) => !known.has(id))).toEqual([]);
    });

    it(`${title}: what is shown elsewhere is there`, () => {
      for (const { kind, why } of Object.values(statements)) {
        if (kind === 'elsewhere') expect(existsSync(why ?? '')).toBe(true);
      }
    });
  }

  it('lists no file as not run that is not there', () => {
    const files = new Set(PARTS.flatMap(({ tests }) => tests.map(({ file }) => file)));
    expect(Object.keys(FILES_NOT_YET).filter((file) => !files.has(file))).toEqual([]);
  });

  it('is what docs/MQTT-STATEMENTS.md says', async () => {
    await expect([HEAD, ...PARTS.map(table)].join('\n')).toMatchFileSnapshot(TABLE);
  });
});
