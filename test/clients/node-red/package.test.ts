import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../../clients/node-red');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const manifest = JSON.parse(read('package.json'));
const sets = Object.keys(manifest['node-red'].nodes);
const own = manifest.name;

type Catalogue = { readonly [name: string]: Catalogue | string };
const catalogues = new Map(
  sets.map((set) => [set, JSON.parse(read(`nodes/locales/en-US/${set}.json`)) as Catalogue]),
);

/** The text of a key such as `label.key`, or of one with a catalogue: `node-red-contrib-dss/dss-cluster:label.key`. */
function textOf(set: string, key: string): unknown {
  const [name, path] = key.includes(':') ? key.split(':') : [`${own}/${set}`, key];
  if (name === 'node-red') return key;
  const catalogue = catalogues.get(name?.replace(`${own}/`, '') ?? '');
  return path?.split('.').reduce<unknown>((part, step) => (part as Catalogue)?.[step], catalogue);
}

describe('the package for Node-RED', () => {
  it('has the version of DSS, and the nodes that it names', () => {
    const dss = JSON.parse(readFileSync(join(folder, '../../package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      version: dss.version,
      dependencies: { dss: `^${dss.version}` },
      engines: dss.engines,
      license: dss.license,
    });
    expect(read('LICENSE')).toBe(readFileSync(join(folder, '../../LICENSE'), 'utf8'));
    const files = readdirSync(join(folder, 'nodes')).filter((name) => name.endsWith('.js'));
    expect(files.map((file) => basename(file, '.js')).sort()).toEqual([...sets].sort());
  });

  it.each(sets)('has help and all its words: %s', (set) => {
    const type = set === 'dss-cluster' ? set : set.replace('-', ' ');
    const html = read(`nodes/${set}.html`);
    expect(read(`nodes/locales/en-US/${set}.html`)).toContain(`data-help-name="${type}"`);
    expect(html).toContain(`data-template-name="${type}"`);
    expect(html).toContain(`RED.nodes.registerType('${type}'`);
    expect(read(`nodes/${set}.js`)).toContain(`RED.nodes.registerType('${type}'`);
    const script = [...`${html}${read(`nodes/${set}.js`)}`.matchAll(/\b_\('([\w.-]+)'/g)];
    const marked = [...html.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)];
    const keys = [...marked, ...script].map(([, key = '']) => key);
    expect(keys.filter((key) => typeof textOf(set, key) !== 'string')).toEqual([]);
    // Each field of the form is one of the node's properties, and has a default or is a credential.
    const fields = [...html.matchAll(/id="node-(?:config-)?input-(\w+)"/g)].map(([, id]) => id);
    const without = fields.filter((id) => !new RegExp(`\\b${id}: \\{`).test(html));
    expect(without).toEqual([]);
  });

  it('has examples of every node, that fit into one workspace', () => {
    const flows = readdirSync(join(folder, 'examples'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(read(`examples/${name}`)) as { id: string; type: string }[]);
    const types = new Set(flows.flat().map(({ type }) => type));
    const missing = sets.map((set) => (set === 'dss-cluster' ? set : set.replace('-', ' ')));
    expect(missing.filter((type) => !types.has(type))).toEqual([]);
    const clusters = flows.flat().filter(({ type }) => type === 'dss-cluster');
    expect(new Set(clusters.map((cluster) => JSON.stringify(cluster))).size).toBe(1);
    // Node-RED takes any property that is the id of a configuration node for a reference to it, `type` as well.
    const values = flows.flat().flatMap((node) => [node.type, ...Object.values(node)]);
    expect(values.filter((value) => value === clusters[0]?.id).length).toBeGreaterThan(1);
    expect(clusters.map(({ type }) => type)).not.toContain(clusters[0]?.id);
    const others = flows.flat().filter(({ type }) => type !== 'dss-cluster');
    expect(new Set(others.map(({ id }) => id)).size).toBe(others.length);
    expect(existsSync(join(folder, 'examples/mqtt-nodes'))).toBe(true);
  });
});
