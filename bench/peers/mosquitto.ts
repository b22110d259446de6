import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../free-ports.ts';
import { ChildServer } from './child-server.ts';
import { findProgram } from './find-program.ts';

/** How often one with persistence writes all that it holds to disk. Its default is half an hour. */
export const SAVE_SECONDS = 10;

/** A stock Mosquitto, with its limits on messages in flight taken off. */
export interface Mosquitto {
  readonly version: string;
  readonly port: number;
  readonly processId: number;
  close(): Promise<void>;
}

/**
 * Keeps everything in memory. With `persistence` it writes what it holds every few seconds: what was acknowledged since is
 * lost with the power. Undefined when it is not installed (Debian: `apt-get install mosquitto`).
 */
export async function startMosquitto(
  directory: string,
  { persistence = false } = {},
): Promise<Mosquitto | undefined> {
  const program = findProgram('mosquitto', '-h');
  if (!program) return undefined;
  const [port] = (await freePorts(1)) as [number];
  const own = join(directory, persistence ? 'mosquitto-persistent' : 'mosquitto');
  await mkdir(own, { recursive: true });
  const configuration = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    `persistence ${persistence}`,
    // It would else become somebody who may not write there.
    ...(persistence
      ? [`persistence_location ${own}/`, `autosave_interval ${SAVE_SECONDS}`, 'user root']
      : []),
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
  ];
  const path = join(own, 'mosquitto.conf');
  await writeFile(path, `${configuration.join('\n')}\n`);
  const server = await ChildServer.start(program.path, ['-c', path], { name: 'Mosquitto', port });
  return {
    version: program.answer,
    port,
    processId: server.processId,
    close: () => server.close(),
  };
}
