import type { Command } from 'commander';
import type { ConnectionOptions, NodeConnection } from './connection.ts';
import { ExitCode, usageError } from './errors.ts';
import type { HttpDoor } from './http.ts';
import type { KeptConnection } from './interactive/kept-connection.ts';
import { Output, type Streams } from './output.ts';
import { openSecurity, type Security, type SecurityFlags } from './security.ts';
import { listenForStop, type StopSignal } from './stop-signal.ts';

export interface GlobalOptions extends SecurityFlags {
  readonly node: readonly string[];
  readonly http: readonly string[];
  readonly timeout: number;
  readonly json?: true;
}

/** What the commands that are given at one prompt share. */
export interface Session {
  readonly connection: KeptConnection;
  listenForStop(): StopSignal;
}

/** What every command gets: where to write, and how to reach a node. */
export class Shell {
  readonly streams: Streams;
  readonly output: Output;
  exitCode: ExitCode = ExitCode.ok;
  readonly #session: Session | undefined;
  #security: Security | undefined;

  constructor(streams: Streams, json: boolean, session?: Session) {
    this.streams = streams;
    this.#session = session;
    this.output = new Output(streams, json);
  }

  /** The options of a command together with the global ones. */
  options<T>(command: Command): T & GlobalOptions {
    return command.optsWithGlobals<T & GlobalOptions>();
  }

  timeoutMs(command: Command): number {
    return this.options(command).timeout * 1000;
  }

  /** Who asks, and whom to trust: the same for every connection of a command. */
  security(command: Command): Security {
    this.#security ??= openSecurity(this.options(command));
    return this.#security;
  }

  /** Where the cluster is reached over MQTT. */
  connectionOptions(command: Command): ConnectionOptions {
    const security = this.security(command);
    return { nodes: this.options(command).node, timeoutMs: this.timeoutMs(command), security };
  }

  /** Where it is reached over HTTP. */
  httpDoor(command: Command): HttpDoor {
    const security = this.security(command);
    return { bases: this.options(command).http, timeoutMs: this.timeoutMs(command), security };
  }

  /** What ends a command that would go on for ever. */
  listenForStop(): StopSignal {
    return this.#session?.listenForStop() ?? listenForStop();
  }

  /** Runs `task` with a connection that it shares with other commands at the same prompt. */
  async withConnection<T>(
    command: Command,
    task: (connection: NodeConnection) => Promise<T>,
  ): Promise<T> {
    if (!this.#session) return this.withOwnConnection(command, task);
    return this.#session.connection.use(this.connectionOptions(command), task);
  }

  /** Runs `task` with a connection that is closed afterwards, whatever happens. */
  async withOwnConnection<T>(
    command: Command,
    task: (connection: NodeConnection) => Promise<T>,
    others: Partial<ConnectionOptions> = {},
  ): Promise<T> {
    // MQTT.js takes 100 ms to load, which `dss --help` need not wait for.
    const { NodeConnection } = await import('./connection.ts');
    const connection = await NodeConnection.open({ ...this.connectionOptions(command), ...others });
    try {
      return await task(connection);
    } finally {
      await connection.close();
    }
  }
}

/** Parsers of option values: what is not allowed is a usage error that says what is. */
export function parseInteger(name: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    const range =
      maximum === Number.MAX_SAFE_INTEGER
        ? `of at least ${minimum}`
        : `from ${minimum} to ${maximum}`;
    throw usageError(`${name} needs a whole number ${range}, not '${text}'`);
  };
}

export function parsePositive(name: string, maximum = Number.MAX_VALUE) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && value <= maximum) return value;
    const bound = maximum === Number.MAX_VALUE ? '' : ` and at most ${maximum}`;
    throw usageError(`${name} needs a number greater than 0${bound}, not '${text}'`);
  };
}

/** For options that may be given several times. The first one given replaces the default. */
export function collect() {
  let given: string[] | undefined;
  return (text: string): string[] => {
    given ??= [];
    given.push(text);
    return given;
  };
}
