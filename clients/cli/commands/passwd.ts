import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import type { Shell } from '../shell.ts';

const CHARACTERS_MIN = 8;

export function definePasswd(self: Command, shell: Shell): void {
  self
    .addHelpText(
      'after',
      `
Asks at a terminal, and otherwise reads the first line of standard input.
Examples:
  dss passwd
  dss passwd < password.txt
In the configuration file:
  users:
    - name: line3
      password: scrypt:16384:8:5:…
      read: ['plant1/line3/+/set']
      write: ['plant1/line3/#']`,
    )
    .action(async () => {
      const password = await readPassword(shell);
      if ([...password].length < CHARACTERS_MIN) {
        throw usageError(`a password needs at least ${CHARACTERS_MIN} characters`);
      }
      const { hashPassword } = await import('../../../node/main.ts');
      const hash = await hashPassword(password);
      shell.output.result({ hash }, () => hash);
    });
}

async function readPassword({ streams: { stdin, stderr } }: Shell): Promise<string> {
  const isTerminal = (stdin as Partial<NodeJS.ReadStream>).isTTY === true;
  // What is typed would be echoed to `output`, so that leads nowhere; prompts go beside the result.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output, terminal: isTerminal });
  const next = lines[Symbol.asyncIterator]();
  const ask = async (prompt: string): Promise<string> => {
    if (isTerminal) stderr.write(prompt);
    const { value, done } = await next.next();
    if (isTerminal) stderr.write('\n');
    if (done === true) throw usageError('no password was given');
    return value;
  };
  try {
    const password = await ask('Password: ');
    if (isTerminal && (await ask('Again: ')) !== password) {
      throw usageError('the two passwords differ');
    }
    return password;
  } finally {
    lines.close();
  }
}
