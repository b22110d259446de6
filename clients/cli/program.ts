import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help, Option } from 'commander';
import type { RunCommand } from './commands/shell.ts';
import { COMMANDS } from './commands.ts';
import { ExitCode, usageError } from './errors.ts';
import type { Streams } from './output.ts';
import { collect, type GlobalOptions, parsePositive, Shell } from './shell.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_MQTT_PORT } from './up/default-ports.ts';

/** Runs one command line and returns the process' exit code. Never throws. */
export async function runCommandLine(argv: readonly string[], streams: Streams): Promise<ExitCode> {
  return run(new Shell(streams, wantsJson(argv)), argv);
}

/** `defaults` count as if they stood on the command line before everything else. */
async function run(
  shell: Shell,
  argv: readonly string[],
  defaults: Partial<GlobalOptions> = {},
): Promise<ExitCode> {
  try {
    const { program } = buildProgram(shell);
    for (const [name, value] of Object.entries(defaults)) {
      program.setOptionValueWithSource(name, value, 'cli');
    }
    await program.parseAsync([...argv], { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return shell.output.error(error);
    if (error.exitCode === 0) return ExitCode.ok;
    if (error.code === 'commander.help') return ExitCode.usage;
    const sentence = oneSentence(error.message);
    const isUnknown = error.code === 'commander.unknownCommand';
    return shell.output.error(usageError(isUnknown ? `${sentence}; ${helpOn(argv)}` : sentence));
  }
}

/** Where the commands are listed of which one was meant. */
function helpOn(argv: readonly string[]): string {
  const topic = argv.find((word) => !word.startsWith('-')) ?? '';
  const isKnown = COMMANDS.some(({ name, alias }) => topic === name || topic === alias);
  return `'dss help${isKnown ? ` ${topic}` : ''}' prints what there is`;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

type Loads = Map<Command, () => Promise<void>>;

/** The program with every command defined: for whoever wants to know all of it. */
export async function wholeProgram(shell: Shell): Promise<Command> {
  const { program, loads } = buildProgram(shell);
  for (const load of loads.values()) await load();
  return program;
}

/** Its commands have no more than names and summaries before they are loaded. */
function buildProgram(shell: Shell): { readonly program: Command; readonly loads: Loads } {
  const { stdout, stderr } = shell.streams;
  const program = new Command('dss')
    .description('An edge data plane: stores what devices publish over MQTT, on a quorum.')
    .version(packageVersion(), '--version', 'print the version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false, subcommandTerm })
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
      new Option('--http <url>', 'a node over HTTP, for status and the like; several, too')
        .env('DSS_HTTP')
        .default(defaultAddresses('http', DEFAULT_HTTP_PORT), 'http://127.0.0.1:8080 to 8082')
        .argParser(collect()),
    )
    .addOption(new Option('--user <name>', 'as whom').env('DSS_USER'))
    .addOption(
      new Option(
        '--password <text>',
        "the user's; others on this machine may see a command line",
      ).env('DSS_PASSWORD'),
    )
    .addOption(
      new Option('--ca <file>', 'whose certificates to trust, for mqtts:// and https://').env(
        'DSS_CA',
      ),
    )
    .addOption(new Option('--client-cert <file>', 'where nodes ask for one').env('DSS_CLIENT_CERT'))
    .addOption(new Option('--client-key <file>', 'the key to it').env('DSS_CLIENT_KEY'))
    .option('--timeout <seconds>', 'how long one request may take', parsePositive('--timeout'), 15)
    .option('--json', 'results and errors as JSON, one object per line')
    .addHelpText('after', overview);
  return { program, loads: addCommands(program, shell) };
}

/** Each is defined when it is named on the command line, or when somebody asks for help on it. */
function addCommands(program: Command, shell: Shell): Loads {
  const runOther: RunCommand = (words, session, defaults) => {
    const json = defaults.json === true || wantsJson(words);
    return run(new Shell(shell.streams, json, session), words, defaults);
  };
  const loads: Loads = new Map();
  for (const { name, alias, summary, load } of COMMANDS) {
    const command = program.command(name).description(summary);
    if (alias !== undefined) command.alias(alias);
    loads.set(command, async () => (await load())(command, shell, runOther));
  }
  program.hook('preSubcommand', (_program, command) => loads.get(command)?.());
  program
    .helpCommand(false)
    .command('help')
    .description('print help for a command')
    .argument('[command...]')
    .action(async (names: readonly string[]) => {
      let topic: Command = program;
      for (const name of names) {
        await loads.get(topic)?.();
        topic = topic.commands.find((one) => isCalled(one, name)) ?? unknownCommand(name);
      }
      await loads.get(topic)?.();
      topic.help();
    });
  return loads;
}

/** Arguments are not known before a command is loaded: here there are names only. */
function subcommandTerm(this: Help, command: Command): string {
  if (command.parent?.parent) return Help.prototype.subcommandTerm.call(this, command);
  return [command.name(), ...command.aliases()].join(', ');
}

function isCalled(command: Command, name: string): boolean {
  return command.name() === name || command.aliases().includes(name);
}

function unknownCommand(name: string): never {
  throw usageError(`there is no command '${name}'; 'dss help' prints all of them`);
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
  dss top                               the same live
  dss doctor                            what is wrong here, and what to do
  dss shell                             a prompt for all of these

Exit codes:
  0  done
  1  it failed, or the node refused it
  2  the command line is wrong
  3  the key was not found
  4  no node reachable, no quorum, or no answer in time
  5  cas: the key has another version
  6  node: its cluster has removed it`;

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
