import { createServer } from 'node:net';
import { CliError, ExitCode } from '../errors.ts';

const PORT_MAX = 65_535;

export interface PortChoice {
  /** What the ports are for, as it stands in the error: `MQTT`. */
  readonly purpose: string;
  readonly base: number;
  /** The address that is to be listened on. */
  readonly host?: string | undefined;
  /** Asked for: a taken port is an error. Otherwise the block moves up. */
  readonly fixed: boolean;
  /** How to choose other ones. */
  readonly flag: string;
}

/** Finds `count` neighbouring free ports. Throws a `CliError` that names the port that is in the way. */
export async function choosePorts(choice: PortChoice, count: number): Promise<number[]> {
  for (let base = choice.base; base + count - 1 <= PORT_MAX; base += count) {
    const ports = Array.from({ length: count }, (_, index) => base + index);
    const taken = await firstTaken(ports, choice);
    if (taken === undefined) return ports;
    if (choice.fixed) throw portTaken(choice, taken);
  }
  throw new CliError(
    ExitCode.failure,
    'NO_FREE_PORTS',
    `no ${count} neighbouring free ports for ${choice.purpose} from ${choice.base} up`,
  );
}

/** For ports that a cluster already has. */
export async function requireFree(choice: PortChoice, ports: readonly number[]): Promise<void> {
  const taken = await firstTaken(ports, choice);
  if (taken !== undefined) throw portTaken(choice, taken);
}

function portTaken(choice: PortChoice, port: number): CliError {
  return new CliError(
    ExitCode.failure,
    'PORT_TAKEN',
    `port ${port} for ${choice.purpose} is taken by another program: stop it, or choose with ${choice.flag}`,
  );
}

async function firstTaken(
  ports: readonly number[],
  { host = '127.0.0.1' }: PortChoice,
): Promise<number | undefined> {
  for (const port of ports) if ((await tryListening(host, port)) !== undefined) return port;
  return undefined;
}

/** Why nobody can listen there; undefined: the port is free. */
export function tryListening(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
