import type { Command } from 'commander';
import { ExitCode, usageError } from '../errors.ts';
import { complete } from '../interactive/completion.ts';
import { KeptConnection } from '../interactive/kept-connection.ts';
import { Prompt, runLines } from '../interactive/prompt.ts';
import { splitWords } from '../interactive/words.ts';
import type { GlobalOptions, Session, Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';
import { formatTable } from '../table.ts';

/** Runs one command line with what a shell was started with as defaults. */
export type RunCommand = (
  words: readonly string[],
  session: Session,
  defaults: GlobalOptions,
) => Promise<ExitCode>;

/** These run until they are stopped, or ask questions of their own. */
const NOT_HERE = ['up', 'node', 'top', 'fleet', 'passwd', 'shell'];

export function defineShell(self: Command, shell: Shell, runCommand: RunCommand): void {
  self
    .addHelpText(
      'after',
      `
Tab completes commands and keys. Enter or Ctrl-C ends a watch, quit or Ctrl-D the prompt.
Without a terminal it takes a command from each line of standard input, and ends with the exit code of the
last one that failed.
Examples:
  dss shell
  dss shell < commands.txt`,
    )
    .action(async (_options, command: Command) => {
      const connection = new KeptConnection();
      try {
        const program = command.parent as Command;
        shell.exitCode = await runShell(program, shell, command, connection, runCommand);
      } finally {
        await connection.close();
      }
    });
}

async function runShell(
  program: Command,
  shell: Shell,
  command: Command,
  connection: KeptConnection,
  runCommand: RunCommand,
): Promise<ExitCode> {
  const unwanted = [...NOT_HERE, 'help'];
  const commands = program.commands.filter((candidate) => !unwanted.includes(candidate.name()));
  const names = [...commands.map((candidate) => candidate.name()), 'help', 'quit'];
  const defaults = shell.options(command);
  const { stdin, stdout } = shell.streams;
  const isTerminal = (stdin as { isTTY?: boolean }).isTTY === true && stdout.isTTY === true;
  const session: Session = {
    connection,
    listenForStop: () => (isTerminal ? prompt.listenForStop() : listenForStop()),
  };
  const run = async (line: string): Promise<ExitCode | 'quit'> => {
    try {
      const words = readCommand(line);
      const [name, topic] = words;
      if (name === undefined) return ExitCode.ok;
      if (name === 'quit' || name === 'exit') return 'quit';
      if (name === 'help' && topic === undefined) return printHelp(shell, commands);
      const isHelp = name === 'help' && topic !== undefined;
      return await runCommand(isHelp ? [topic, '--help'] : words, session, defaults);
    } catch (error) {
      return shell.output.error(error);
    }
  };
  if (!isTerminal) return runLines(stdin, run);
  const prompt = new Prompt({
    streams: shell.streams,
    run,
    complete: (line) =>
      complete(line, names, (task) => connection.use(shell.connectionOptions(command), task)),
  });
  shell.output.note("Type 'help' for the commands, 'quit' to leave; Tab completes keys.");
  return prompt.untilClosed();
}

function readCommand(line: string): string[] {
  if (line.trimStart().startsWith('#')) return [];
  const words = splitWords(line);
  if (words[0] === 'dss') words.shift();
  const [name = ''] = words;
  if (NOT_HERE.includes(name)) throw usageError(`run 'dss ${name}' outside of this prompt`);
  return words;
}

function printHelp(shell: Shell, commands: readonly Command[]): ExitCode {
  const rows = commands.map((command) => [command.name(), command.description()]);
  const more = [
    ['help [command]', 'this, or all about one of them'],
    ['quit', 'leave'],
  ];
  const columns = [{ title: 'COMMAND' }, { title: '' }];
  shell.output.line(formatTable(columns, [...rows, ...more]));
  return ExitCode.ok;
}
