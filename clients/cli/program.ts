import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { addDelete } from './commands/del.ts';
import { addFleet } from './commands/fleet.ts';
import { addGet } from './commands/get.ts';
import { addHistory } from './commands/history.ts';
import { addList } from './commands/list.ts';
import { addNode } from './commands/node.ts';
import { addPut } from './commands/put.ts';
import { addRange } from './commands/range.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import { addWatch } from './commands/watch.ts';
import { addWhere } from './commands/where.ts';
import { ExitCode, usageError } from './errors.ts';
import type { Streams } from './output.ts';
import { collect, parsePositive, Shell } from './shell.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT } from './up/layout.ts';

/** Runs one command line and returns the process' exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], streams: Streams): Promise<ExitCode> {
  const end = argv.indexOf('--');
  const json = (end === -1 ? argv : argv.slice(0, end)).includes('--json');
  const shell = new Shell(streams, json);
  try {
    await buildProgram(shell).parseAsync([...argv], { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return shell.output.error(error);
    if (error.exitCode === 0) return ExitCode.ok;
    if (error.code === 'commander.help') return ExitCode.usage;
    return shell.output.error(usageError(oneSentence(error.message)));
  }
}

function buildProgram(shell: Shell): Command {
  const { stdout, stderr } = shell.streams;
  const program = new Command('dss')
    .description('An edge data plane: stores what devices publish over MQTT, on a quorum.')
    .version(packageVersion(), '--version', 'print the version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: () => {},
    })
    .addOption(
      new Option('--node <address>', 'a node over MQTT; several are tried in turn')
        .env('DSS_NODE')
        .default(defaultAddresses('mqtt', DEFAULT_MQTT_PORT), 'mqtt://127.0.0.1:1883 to 1885')
        .argParser(collect()),
    )
    .addOption(
      new Option('--http <url>', 'a node over HTTP, for status and where; several, too')
        .env('DSS_HTTP')
        .default(defaultAddresses('http', DEFAULT_HTTP_PORT), 'http://127.0.0.1:8080 to 8082')
        .argParser(collect()),
    )
    .option('--timeout <seconds>', 'how long one request may take', parsePositive('--timeout'), 15)
    .option('--json', 'results and errors as JSON, one object per line')
    .addHelpText('after', overview);
  for (const add of [addUp, addNode, addPut, addGet, addDelete, addList]) add(program, shell);
  for (const add of [addRange, addHistory]) add(program, shell);
  for (const add of [addWatch, addStatus, addWhere, addFleet]) add(program, shell);
  return program;
}

/** The three nodes that `dss up` starts: one of them may be down. */
function defaultAddresses(scheme: string, first: number): string[] {
  return [0, 1, 2].map((offset) => `${scheme}://127.0.0.1:${first + offset}`);
}

/** Commander begins with `error: ` and puts its suggestion on a line of its own. */
function oneSentence(message: string): string {
  return message.replace(/^error: /, '').replaceAll('\n', ' ');
}

const overview = `
Examples:
  dss up --demo                         a cluster of three nodes here, with simulated sensors
  dss put plant1/line3/dev42/temp 21.5  store a value on a quorum
  dss get plant1/line3/dev42/temp       read it from any node
  dss watch 'plant1/#'                  current values, then every change
  dss status                            nodes, shards, storage

Exit codes:
  0  done
  1  it failed, or the node refused it
  2  the command line is wrong
  3  the key was not found
  4  no node reachable, no quorum, or no answer in time`;

function packageVersion(): string {
  // From clients/cli here or from dist/clients/cli: the nearest package.json above.
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // The next one is the one.
    }
  }
  return 'unknown';
}
