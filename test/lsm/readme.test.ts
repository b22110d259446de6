import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InlineOffload } from '../../lsm/offload/inline.ts';
import { resolveDbOptions } from '../../lsm/options.ts';
import { CrashableMemVfs } from '../../lsm/vfs/mem.ts';

const folder = join(import.meta.dirname, '../../lsm');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

/** Those of `Db` that `Store` sees to. */
const notForUsers = [
  'acceptPositions',
  'checkTablesAtOpen',
  'initialPositions',
  'failsOnFullDisk',
  'isWholeSeriesKey',
  'notePositions',
];

describe('the README of the engine', () => {
  it('has every option, with its default', () => {
    const table = /### Options\n[\s\S]*?(?=\n###? )/.exec(readme)?.[0] ?? '';
    const documented = new Map<string, string>();
    for (const line of table.split('\n').filter((row) => row.startsWith('| `'))) {
      const [names = '', defaults = ''] = line.split('|').slice(1);
      const values = defaults.split(',').map((value) => value.trim().replaceAll('`', ''));
      [...names.matchAll(/`(\w+)`/g)].forEach(([, name = ''], i) => {
        documented.set(name, values[i] ?? '');
      });
    }
    const vfs = new CrashableMemVfs();
    const given = { vfs, directory: 'd', offload: new InlineOffload(vfs) };
    const resolved = resolveDbOptions({ ...given, notePositions: () => new Uint8Array() });
    const options = Object.entries(resolved).filter(([name]) => !notForUsers.includes(name));
    expect(options.map(([name]) => name).filter((name) => !documented.has(name))).toEqual([]);
    const written = options.filter(([, value]) => /^(number|boolean)$/.test(typeof value));
    expect(written.map(([name]) => [name, documented.get(name)])).toEqual(
      written.map(([name, value]) => [name, inWords(value)]),
    );
  });

  it('has every kind of event', () => {
    const type = /export type EngineEvent =[\s\S]*/.exec(
      readFileSync(join(folder, 'engine.ts'), 'utf8'),
    );
    const kinds = [...(type?.[0] ?? '').matchAll(/kind: '([\w-]+)'/g)].map(([, kind = '']) => kind);
    expect(kinds).toContain('disk-full');
    expect(kinds.filter((kind) => !readme.includes(`\`${kind}\``))).toEqual([]);
  });
});

function inWords(value: unknown): string {
  if (typeof value !== 'number' || value < 1024) return `${value}`;
  return value < 1024 ** 2 ? `${value / 1024} KiB` : `${value / 1024 ** 2} MiB`;
}
