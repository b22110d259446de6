import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { freePorts } from '../../../bench/free-ports.ts';
import { eventually } from '../../support/eventually.ts';
import { startProcess, temporaryDirectory } from './processes.ts';

/** Debian puts it into /usr/sbin, which is not on every PATH. */
const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((directory) => join(directory, 'mosquitto'))
  .find((path) => existsSync(path));

export const hasMosquitto = program !== undefined;

/** A stock Mosquitto, somebody else's broker. */
export interface Mosquitto {
  readonly url: string;
  /** What it logged. */
  readonly log: readonly string[];
  connect(): Promise<MqttClient>;
  close(): Promise<void>;
}

/** @param settings lines for its configuration file: a bridge, for example */
export async function startMosquitto(settings: string): Promise<Mosquitto> {
  if (program === undefined) throw new Error('mosquitto is not installed');
  const [port] = (await freePorts(1)) as [number];
  const directory = await temporaryDirectory();
  const path = join(directory, 'mosquitto.conf');
  const own = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'log_dest stderr',
  ];
  await writeFile(path, `${own.join('\n')}\n${settings}\n`);
  const started = startProcess(program, ['-c', path]);
  const url = `mqtt://127.0.0.1:${port}`;
  const connect = () => mqtt.connectAsync(url, { reconnectPeriod: 0 });
  const close = async (): Promise<void> => {
    started.child.kill('SIGKILL');
    await started.exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await (await eventually('Mosquitto starts', 10_000, connect)).endAsync(true);
  } catch (error) {
    await close();
    throw new Error(`${String(error)}\n${started.stderr.join('\n')}`);
  }
  return { url, log: started.stderr, connect, close };
}
