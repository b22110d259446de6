import { Argument, type Command } from 'commander';
import type { Shell } from '../shell.ts';

export function defineCompletion(self: Command, shell: Shell): void {
  self
    .addArgument(new Argument('<shell>', 'for which shell').choices(['bash', 'zsh']))
    .addHelpText(
      'after',
      `
Keys are completed at the prompt of "dss shell"; here it is commands, options and files.
Examples:
  source <(dss completion bash)
  dss completion zsh >> ~/.zshrc`,
    )
    .action(async (name: 'bash' | 'zsh') => {
      const { wholeProgram } = await import('../program.ts');
      const script = completionScript(await wholeProgram(shell), name);
      shell.output.result({ shell: name, script }, () => script);
    });
}

/** zsh takes the functions of bash. */
function completionScript(program: Command, shell: 'bash' | 'zsh'): string {
  const paths = program.commands.flatMap((command) => [...nested(command), command]);
  const cases = paths.map((command) => {
    const pattern = namesOf(command, program).map((path) => `"${path} "*`);
    return `    ${pattern.join('|')}) words="${wordsOf(command, program)}" ;;`;
  });
  return [
    ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
    '_dss() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that replaces it
    '  local words before="${COMP_WORDS[*]:1:COMP_CWORD-1} "',
    '  case "$before" in',
    ...cases,
    `    *) words="${wordsOf(program, program)}" ;;`,
    '  esac',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: likewise
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _dss dss',
  ].join('\n');
}

/** The longer paths first: the first that fits counts. */
function nested(command: Command): Command[] {
  return command.commands.flatMap((inner) => [...nested(inner), inner]);
}

/** What stands on the line when it is this command's turn: `retention set`; with its aliases. */
function namesOf(command: Command, program: Command): string[] {
  const names = [command.name(), ...command.aliases()];
  if (command.parent === null || command.parent === program) return names;
  return namesOf(command.parent, program).flatMap((path) => names.map((name) => `${path} ${name}`));
}

function wordsOf(command: Command, program: Command): string {
  const options = new Set([command, program].flatMap((one) => one.options));
  const flags = [...options].flatMap(({ long, hidden }) => (hidden || !long ? [] : [long]));
  return [...command.commands.map((inner) => inner.name()), ...flags, '--help'].join(' ');
}
