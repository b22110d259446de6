import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { RecoveryPlan } from '../../../node/main.ts';
import { usageError } from '../errors.ts';
import { collect, type Shell } from '../shell.ts';

interface RecoverFlags {
  readonly data: string;
  readonly lost?: readonly string[];
  readonly here?: true;
  readonly yes?: true;
}

export function defineRecover(self: Command, shell: Shell): void {
  self
    .option('--data <dir>', 'the data directory of a node that is left', './.dss/n1')
    .option('--lost <names>', 'the nodes that will never come back, with commas', collect())
    .option('--here', 'also where other nodes that are left hold a copy: for one of them only')
    .option('--yes', 'without asking')
    .addHelpText(
      'after',
      `
Only for a cluster, or shards of it, that can never again have a majority. Stop every node that is left, give
this command on each of them with the same --lost, and start them again. Shards that those who are left cannot
decide on go on with the copy of the one node that has one; where several have a copy, give --here on the one
whose copy is the newest, and on no other.
What only the lost nodes had is lost, although it was acknowledged. They must never be started again with what
they hold. Without --lost, shards that have their only copy here give up what is damaged of it.
Examples:
  dss recover --data /var/lib/dss --lost n2,n3
  dss recover --data ./n1 --yes                       one node, with damaged tables`,
    )
    .action(async (_options, command: Command) => {
      const flags = command.opts<RecoverFlags>();
      const { planRecovery } = await import('../../../node/main.ts');
      const { data, here = false } = flags;
      const lost = (flags.lost ?? []).flatMap((names) => names.split(','));
      const plan = await planRecovery({ data, lost, takesShared: here });
      try {
        await recover(shell, plan, flags.yes === true);
      } finally {
        await plan.close();
      }
    });
}

async function recover(shell: Shell, plan: RecoveryPlan, isSure: boolean): Promise<void> {
  const { name, lost, others, groups } = plan;
  const forced = groups.filter(({ kind }) => kind === 'forced');
  const shared = groups.filter(({ kind }) => kind === 'shared');
  if (!shell.output.json) for (const line of describe(plan)) shell.output.line(line);
  if (!isSure && !(await isConfirmed(shell, name))) throw usageError('nothing was changed');
  await plan.order();
  const list = (some: typeof groups) =>
    some.map(({ group, others, position }) => ({ group, others, position }));
  const result = { node: name, lost, others, forced: list(forced), shared: list(shared) };
  shell.output.result(result, () => `Ordered. Start ${name}: it goes on like that.`);
}

function describe({ name, lost, others, groups }: RecoveryPlan): string[] {
  const ofKind = (kind: RecoveryPlan['groups'][number]['kind']) =>
    groups.filter((each) => each.kind === kind);
  const forced = ofKind('forced');
  const alone = others.length === 0 ? 'alone' : `with ${others.join(', ')}`;
  return [
    `${name} goes on ${alone}${lost.length === 0 ? '' : `, without ${lost.join(', ')}`}:`,
    ...(forced.length === 0
      ? []
      : [
          `  ${count(forced)} with the copy here alone: what others have acknowledged and this copy lacks is lost`,
        ]),
    `  ${count(ofKind('untouched'))} as before`,
    ...ofKind('shared').map(
      ({ group, others: holders, position }) =>
        `  group ${group} not at all: ${holders.join(', ')} has a copy, too. This one ends at ${position}; give --here where it ends last`,
    ),
    'Values in damaged tables of an only copy are given up: older ones may show through, and deleted ones.',
  ];
}

function count({ length }: readonly unknown[]): string {
  return `${length} ${length === 1 ? 'group' : 'groups'}`;
}

async function isConfirmed({ streams: { stdin, stderr } }: Shell, name: string): Promise<boolean> {
  if ((stdin as Partial<NodeJS.ReadStream>).isTTY !== true) {
    throw usageError('this cannot be undone: give --yes where nobody can be asked');
  }
  const lines = createInterface({ input: stdin, output: stderr as NodeJS.WritableStream });
  try {
    const answer = await lines.question(`This cannot be undone. Type ${name} to go on: `);
    return answer.trim() === name;
  } finally {
    lines.close();
  }
}
