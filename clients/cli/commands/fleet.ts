import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { type MqttAddress, parseNodeAddresses } from '../addresses.ts';
import type { ConnectionOptions } from '../connection.ts';
import { CliError, ExitCode, fileError } from '../errors.ts';
import type { FleetReport } from '../fleet/fleet.ts';
import type { Reading } from '../fleet/sensor.ts';
import { fetchStatus } from '../http.ts';
import { checkPrefix } from '../key.ts';
import { parseInteger, parsePositive, type Shell } from '../shell.ts';
import { listenForStop } from '../stop-signal.ts';

interface FleetCommandOptions {
  readonly devices: number;
  readonly rate: number;
  readonly seconds: number;
  readonly qos: 0 | 1 | 2;
  readonly connections?: number;
  readonly prefix: string;
  readonly record?: string;
  readonly distinctKeys?: true;
}

const CONNECTIONS_MAX = 50;

export function defineFleet(self: Command, shell: Shell): void {
  self
    .option('--devices <count>', 'how many sensors', parseInteger('--devices', 1), 1000)
    .option('--rate <n>', 'readings per second and device', parsePositive('--rate'), 10)
    .option('--seconds <n>', 'for how long', parsePositive('--seconds'), 30)
    .option('--qos <0|1|2>', 'MQTT quality of service', parseInteger('--qos', 0, 2), 1)
    .option(
      '--connections <n>',
      'shared by the devices (default: one each, at most 50)',
      parseInteger('--connections', 1),
    )
    .option('--prefix <prefix>', 'keys are <prefix>/line<k>/dev<i>/temp', 'demo')
    .option('--distinct-keys', 'a key of its own for each reading: …/temp/<seq>')
    .option('--record <file>', 'append each acknowledged reading as a JSON line, to verify later')
    .addHelpText(
      'after',
      `
Without --node it asks --http which nodes there are and spreads over all of them.
Examples:
  dss fleet --devices 100 --rate 1
  dss fleet --node mqtt://127.0.0.1:1883 --node mqtt://127.0.0.1:1884 --seconds 5 --json
Exit code 1 when readings were left unacknowledged.`,
    )
    .action(async (_options, command: Command) => {
      const options = shell.options<FleetCommandOptions>(command);
      checkPrefix(options.prefix);
      const addresses = await findNodes(shell, command);
      // Sensors wait for a node that is away, but when there is none from the start somebody should know.
      const nodes = addresses.map(({ url }) => url);
      await shell.withOwnConnection(command, async () => {}, { nodes });
      const report = await runFleet(shell, addresses, options, shell.connectionOptions(command));
      shell.output.result(report, () => formatReport(report));
      if (report.failed > 0) {
        const sentence = `${report.failed} readings were not acknowledged`;
        throw new CliError(ExitCode.failure, 'UNACKNOWLEDGED', sentence);
      }
    });
}

async function findNodes(shell: Shell, command: Command): Promise<MqttAddress[]> {
  const { node, http, timeout } = shell.options(command);
  const named = command.parent?.getOptionValueSource('node') !== 'default';
  if (named) return parseNodeAddresses(node);
  try {
    const timeoutMs = Math.min(timeout * 1000, 2_000);
    const status = await fetchStatus(http, timeoutMs, shell.security(command));
    // Either all doors of a cluster speak TLS or none.
    const scheme = http.some((url) => url.startsWith('https:')) ? 'mqtts' : 'mqtt';
    return parseNodeAddresses(status.nodes.map((known) => `${scheme}://${known.mqtt}`));
  } catch {
    return parseNodeAddresses(node);
  }
}

async function runFleet(
  shell: Shell,
  addresses: MqttAddress[],
  options: FleetCommandOptions,
  { timeoutMs, security }: ConnectionOptions,
): Promise<FleetReport> {
  const { Fleet } = await import('../fleet/fleet.ts');
  const record = options.record ? await openRecord(options.record) : undefined;
  const fleet = new Fleet({
    addresses,
    devices: options.devices,
    rate: options.rate,
    qos: options.qos,
    security,
    connections: options.connections ?? CONNECTIONS_MAX,
    prefix: options.prefix,
    distinctKeys: options.distinctKeys === true,
    ...(record ? { onAcknowledged: record.append } : {}),
  });
  const stop = listenForStop();
  const progress = setInterval(() => {
    const { sent, acknowledged, reconnects } = fleet.counts;
    const parts = [`sent ${sent}`, `acknowledged ${acknowledged}`, `reconnects ${reconnects}`];
    shell.output.progress(parts.join(', '));
  }, 1000);
  await Promise.race([fleet.start(options.seconds), stop.requested]);
  const report = await fleet.stop(timeoutMs);
  clearInterval(progress);
  shell.output.progressEnd();
  stop.release();
  await record?.close();
  return report;
}

async function openRecord(path: string): Promise<{
  append: (reading: Reading, sentMs: number) => void;
  close: () => Promise<void>;
}> {
  const stream = createWriteStream(path, { flags: 'a' });
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', (cause) => reject(fileError('cannot write', path, cause)));
  });
  return {
    append: ({ key, seq, payload }, sentMs) => {
      const acknowledgedMs = Date.now();
      const line = { key, seq, value: payload, sentMs: Math.round(sentMs), acknowledgedMs };
      stream.write(`${JSON.stringify(line)}\n`);
    },
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}

function formatReport(report: FleetReport): string {
  const { sent, acknowledged, failed, reconnects, latencyMs } = report;
  const { p50, p90, p99, max } = latencyMs;
  return [
    `sent ${sent}, acknowledged ${acknowledged}, failed ${failed}, reconnects ${reconnects}`,
    `latency p50 ${p50} ms, p90 ${p90} ms, p99 ${p99} ms, max ${max} ms`,
  ].join('\n');
}
