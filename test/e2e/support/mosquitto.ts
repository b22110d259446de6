import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { freePorts } from '../../../bench/free-ports.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningProcess, startProcess, temporaryDirectory } from './processes.ts';

/** Debian puts it into /usr/sbin, which is not on every PATH. */
const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((directory) => join(directory, 'mosquitto'))
  .find((path) => existsSync(path));

export const hasMosquitto = program !== undefined;
if (!hasMosquitto) {
  const message = 'SKIPPED: mosquitto is not installed (Debian: mosquitto)';
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(message);
}

/** A stock Mosquitto, somebody else's broker. */
export interface Mosquitto {
  readonly url: string;
  /** What it logged since it was started last. */
  readonly log: readonly string[];
  connect(options?: IClientOptions): Promise<MqttClient>;
  /** Ends it; with persistence it writes what it holds to disk first. */
  stop(): Promise<void>;
  /** After `stop`, at the same address. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param settings lines for its configuration file: a bridge, for example
 * @param options.persistence sessions and retained messages survive a restart
 */
export async function startMosquitto(
  settings: string,
  options: { readonly persistence?: boolean } = {},
): Promise<Mosquitto> {
  if (program === undefined) throw new Error('mosquitto is not installed');
  const [port] = (await freePorts(1)) as [number];
  const directory = await temporaryDirectory();
  const path = join(directory, 'mosquitto.conf');
  const own = [
    `listener ${port} 127.0.0.1`,
    ...(settings.includes('allow_anonymous') ? [] : ['allow_anonymous true']),
    `persistence ${options.persistence === true}`,
    `persistence_location ${directory}/`,
    // Else root's Mosquitto becomes a user that may not write there.
    `user ${userInfo().username}`,
    'log_dest stderr',
  ];
  await writeFile(path, `${own.join('\n')}\n${settings}\n`);
  const url = `mqtt://127.0.0.1:${port}`;
  let running: RunningProcess | undefined;
  const isUp = () =>
    new Promise<true>((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(true));
      socket.once('error', reject).once('connect', () => socket.destroy());
    });
  const start = async (): Promise<void> => {
    running = startProcess(program as string, ['-c', path]);
    await eventually('Mosquitto starts', isUp);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    running?.child.kill(signal);
    await running?.exited;
  };
  const close = async (): Promise<void> => {
    await end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw new Error(`${String(error)}\n${running?.stderr.join('\n')}`);
  }
  return {
    url,
    get log() {
      return running?.stderr ?? [];
    },
    connect: (given = {}) => mqtt.connectAsync(url, { reconnectPeriod: 0, ...given }),
    stop: () => end('SIGTERM'),
    start,
    close,
  };
}
