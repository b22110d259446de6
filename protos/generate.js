// Turns the .proto files into protos/gen/dss.js and dss.d.ts, which are committed: `npm run protos`.
// A test (test/tidy.test.ts) regenerates them elsewhere and compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pbjs } from 'protobufjs-cli';

/** One package `dss.<name>` per file, exported as `<name>`. */
const packages = ['raft', 'kv', 'cluster', 'peers', 'mqtt'];

// Only what is used is generated: no verify, fromObject, toObject, services or delimited framing.
// --force-number changes the types alone; protos/runtime.ts makes the readers agree with them.
const flags =
  '-t static-module -w esm -r dss --alt-comment --force-number --null-semantics ' +
  '--no-verify --no-convert --no-delimited --no-typeurl --no-service';

/**
 * Generates both files into `directory`, which must exist.
 * @param {string} directory
 * @returns {Promise<void>}
 */
export async function generate(directory) {
  const code = join(directory, 'dss.js');
  const types = join(directory, 'dss.d.ts');
  const sources = packages.map((name) => join(import.meta.dirname, `${name}.proto`));
  await runPbjs([...flags.split(' '), '-d', '-o', code, ...sources]);
  writeFileSync(code, finishCode(readFileSync(code, 'utf8')));
  writeFileSync(types, finishTypes(readFileSync(types, 'utf8')));
}

/**
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function runPbjs(args) {
  return new Promise((done, fail) => pbjs.main(args, (error) => (error ? fail(error) : done())));
}

/** The JSDoc has served its purpose once the types are out, and is half of the file. */
function finishCode(text) {
  const bare = text.replace(/^[ \t]*\/\*\*[\s\S]*?\*\/\n+/gm, '').replace(/\n{3,}/g, '\n\n');
  return `${bare.trimEnd()}\n\nexport const { ${packages.join(', ')} } = dss;\n`;
}

/** A namespace alias names a message's value and its type at once, which a constant cannot. */
function finishTypes(text) {
  const aliases = packages.map((name) => `export import ${name} = dss.${name};\n`);
  return `${text.trimEnd()}\n\n${aliases.join('')}`;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await generate(join(import.meta.dirname, 'gen'));
}
