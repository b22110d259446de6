import type { Command } from 'commander';
import type { NodeOptions } from '../../../node/main.ts';
import { judgeCluster } from '../doctor/cluster.ts';
import { examineAccess } from '../doctor/configuration.ts';
import { examineDisk } from '../doctor/disk.ts';
import { type Finding, formatFindings, problem, warning, worstOf } from '../doctor/finding.ts';
import { examineMachine } from '../doctor/machine.ts';
import { examinePort } from '../doctor/ports.ts';
import { CliError, ExitCode } from '../errors.ts';
import { askHttp, type HttpDoor } from '../http.ts';
import type { Shell } from '../shell.ts';
import { hostOf } from '../up/reach.ts';
import { addNodeFlags, type NodeFlags } from './node-flags.ts';

/** Of one node: what does not answer sooner is no help either. */
const PROBE_TIMEOUT_MS = 5_000;

/** It takes all flags of a node; these are the ones that matter to it. */
const SHOWN_FLAGS = ['--config', '--data', '--listen', '--mqtt-port', '--http-port'];

export function defineDoctor(self: Command, shell: Shell): void {
  addNodeFlags(self);
  for (const option of self.options) option.hideHelp(!SHOWN_FLAGS.includes(option.long ?? ''));
  self
    .addHelpText(
      'after',
      `
Of this machine: Node.js, memory, how many files may be open, the disk of --data and how fast it syncs, the ports that
a node would take and who has them, who could use it. Give it what you give to "dss node", or nothing.
Of the cluster, where one answers: its state, whether every node is reached over MQTT and HTTP from here and by
all others, clocks, versions, alerts. It changes nothing; for the disk it writes some kilobytes into --data, and removes
them. The exit code is 1 where there is a problem, and 0 with warnings only.
Examples:
  dss doctor
  dss doctor --config /etc/dss/node.yaml
  dss doctor --json | jq -r '.findings[] | select(.state != "ok") | .advice'`,
    )
    .action(async (_options, command: Command) => {
      const timeoutMs = Math.min(shell.timeoutMs(command), PROBE_TIMEOUT_MS);
      const door = { ...shell.httpDoor(command), timeoutMs };
      const version = command.parent?.version() ?? '';
      const findings = [
        ...examineMachine(),
        ...(await examineConfigured(command.opts<NodeFlags>(), door)),
        ...(await examineCluster(door, version)),
      ];
      const state = worstOf(findings);
      shell.output.result({ state, findings }, () => formatFindings(findings, shell.output));
      if (state === 'problem') shell.exitCode = ExitCode.failure;
    });
}

/** What depends on how a node here is told to be. */
async function examineConfigured(flags: NodeFlags, door: HttpDoor): Promise<Finding[]> {
  const { loadNodeOptions } = await import('../../../node/main.ts');
  let options: NodeOptions;
  try {
    options = loadNodeOptions({ flags, environment: process.env, file: flags.config });
  } catch (error) {
    const advice = 'Correct that: "dss config show" prints where each setting comes from.';
    return [problem('configuration', (error as Error).message, advice)];
  }
  return [
    ...(await examineDisk(options.data)),
    ...(await examinePorts(options, door)),
    ...examineAccess(options, Date.now()),
  ];
}

async function examinePorts(options: NodeOptions, door: HttpDoor): Promise<Finding[]> {
  const { listen: host, mqttPort, httpPort, tls } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  const own = { ...door, bases: `${scheme}://${hostOf(host)}:${httpPort}` };
  const { whyNotOverMqtt } = await import('../doctor/ask-cluster.ts');
  return [
    await examinePort({
      ...{ check: 'mqtt-port', host, port: mqttPort },
      isNode: async () => (await whyNotOverMqtt(`${hostOf(host)}:${mqttPort}`, own)) === undefined,
    }),
    await examinePort({
      ...{ check: 'http-port', host, port: httpPort },
      isNode: () =>
        askHttp(own, { path: '/healthz' }).then(
          () => true,
          () => false,
        ),
    }),
  ];
}

async function examineCluster(door: HttpDoor, version: string): Promise<Finding[]> {
  const { askCluster } = await import('../doctor/ask-cluster.ts');
  try {
    return judgeCluster(await askCluster(door), version);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const advice =
      error.exitCode === ExitCode.unavailable
        ? 'Nothing else was examined of a cluster. If one should be running: start it.'
        : 'Nothing else was examined of a cluster. Say who you are, with --user and DSS_PASSWORD, and which node, with --http.';
    return [warning('cluster', error.sentence, advice)];
  }
}
