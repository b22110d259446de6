import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import { askHttp, type HttpQuestion } from '../http.ts';
import { formatRules, type IngestDocument, mergeDocuments } from '../ingest/rule-report.ts';
import { askOtherNodes, READ_RULES, untilKnown } from '../ingest/spread.ts';
import { checkFilter } from '../key.ts';
import { fromJsonValue, toDisplay, toJsonValue } from '../payload.ts';
import { collect, type Shell } from '../shell.ts';
import { formatTime } from '../time.ts';
import { addValueOptions, readValue, type ValueOptions } from '../value-source.ts';

interface AddOptions {
  readonly preset?: string;
  readonly name?: string;
  readonly except?: readonly string[];
  readonly key?: string;
  readonly value?: string;
  readonly time?: string;
  readonly timeUnit?: string;
  readonly timeZone?: string;
  readonly before?: string;
}

interface TestDocument {
  readonly rule: string | null;
  readonly writes: readonly {
    readonly key: string;
    readonly value?: string;
    readonly base64?: string;
    /** Milliseconds since 1970; null: that of its arrival. */
    readonly time: number | null;
  }[];
  readonly problems: readonly { readonly problem: string; readonly message: string }[];
}

export function defineIngest(self: Command, shell: Shell): void {
  const ingest = self.addHelpText(
    'after',
    `
Examples:
  dss ingest add --preset zigbee2mqtt
  dss ingest add 'tele/+/SENSOR' --value each --time Time --time-zone Europe/Berlin
  dss ingest add 'site/#' --except 'site/debug/#' --key 'site1/$1'
  dss ingest test tele/kitchen/SENSOR '{"Time":"2026-11-20T08:00:00","DS18B20":{"Temperature":20.6}}'
  dss ingest list     what each rule has stored, and what it could not`,
  );
  addListCommand(ingest, shell);
  addAddCommand(ingest, shell);
  addTestCommand(ingest, shell);
  ingest
    .command('rm')
    .description('remove a rule; what it has stored stays')
    .argument('<name>')
    .action(async (name: string, _options, command: Command) => {
      const path = `/v1/ingest?name=${encodeURIComponent(name)}`;
      await change(shell, command, { method: 'DELETE', path });
    });
}

function addListCommand(ingest: Command, shell: Shell): void {
  ingest
    .command('list')
    .description('print the rules; counts are those of all nodes that answer, since each started')
    .action(async (_options, command: Command) => {
      const door = shell.httpDoor(command);
      const first = await askHttp<IngestDocument>(door, READ_RULES);
      const { answers, silent } = await askOtherNodes(door);
      for (const { node, why } of silent) {
        shell.output.note(`Without the counts of ${node}: ${why}`);
      }
      show(shell, mergeDocuments([first, ...answers]));
    });
}

/** Has rules changed, and comes back when messages are taken by the new ones, at whatever node. */
async function change(shell: Shell, command: Command, question: HttpQuestion): Promise<void> {
  const door = shell.httpDoor(command);
  const document = await askHttp<IngestDocument>(door, question);
  const { silent } = await untilKnown(door, document.revision);
  for (const { node, why } of silent) {
    shell.output.note(`${node} may still go by the rules of before: ${why}`);
  }
  show(shell, document);
}

function addAddCommand(ingest: Command, shell: Shell): void {
  ingest
    .command('add')
    .description(
      'add a rule, or replace the one of this name; the first that matches a topic counts',
    )
    .argument('[filter]', "an MQTT filter over topics: 'tele/+/SENSOR'")
    .option('--preset <name>', 'rules for zigbee2mqtt, tasmota, shelly or homeassistant')
    .option('--name <name>', 'what it is called; by default after its filter')
    .option('--except <filter>', 'topics that it leaves alone; may be given again', collect())
    .option('--key <template>', "where it is stored: '$topic', '$1' and so on for the wildcards")
    .option('--value <path>', 'what is stored of a JSON payload, or each: one key per field')
    .option('--time <path>', 'where in a JSON payload its time is')
    .option('--time-unit <unit>', 'of a time that is a number: s, ms, us or ns')
    .option('--time-zone <zone>', 'of a time that names none, such as Europe/Berlin')
    .option('--before <name>', 'put it before that rule, instead of at the end')
    .action(async (filter: string | undefined, _options, command: Command) => {
      const body = ruleFrom(filter, shell.options<AddOptions>(command));
      await change(shell, command, { method: 'POST', path: '/v1/ingest', body });
    });
}

function ruleFrom(filter: string | undefined, options: AddOptions): object {
  const { preset, name, except, key, value, time, timeUnit, timeZone, before } = options;
  if ((filter === undefined) === (preset === undefined)) {
    throw usageError('give either a filter or --preset');
  }
  if (preset !== undefined) {
    const others = [name, except, key, value, time, timeUnit, before];
    if (others.some((other) => other !== undefined)) {
      throw usageError(
        'a preset brings its own rules: with --preset only --time-zone can be given',
      );
    }
    return { preset, timeZone };
  }
  for (const one of [filter as string, ...(except ?? [])]) checkFilter(one);
  return { filter, name, except, key, value, time, timeUnit, timeZone, before };
}

function addTestCommand(ingest: Command, shell: Shell): void {
  const test = ingest
    .command('test')
    .description('show what the rules would make of a message; nothing is stored')
    .argument('<topic>')
    .argument('[payload]', 'as text');
  addValueOptions(test).action(
    async (topic: string, payload: string | undefined, _options, command: Command) => {
      const bytes = await readValue(shell, payload, shell.options<ValueOptions>(command));
      const message = toJsonValue(bytes);
      const content = 'value' in message ? { payload: message.value } : message;
      const document = await askHttp<TestDocument>(shell.httpDoor(command), {
        method: 'POST',
        path: '/v1/ingest/test',
        body: { topic, ...content },
      });
      shell.output.result(document, () => formatTest(document));
    },
  );
}

function formatTest({ rule, writes, problems }: TestDocument): string {
  const lines = writes.map((write) => {
    const value = fromJsonValue(write);
    const at = write.time === null ? '' : ` at ${formatTime(write.time)}`;
    if (value.length === 0) return `delete ${write.key}${at}`;
    return `store ${write.key} ${toDisplay(value)}${at}`;
  });
  return [
    rule === null ? 'no rule matches' : `rule ${rule}`,
    ...lines,
    ...problems.map(({ problem, message }) => `${problem}: ${message}`),
  ].join('\n');
}

function show(shell: Shell, document: IngestDocument): void {
  shell.output.result(document, () => formatRules(document));
}
