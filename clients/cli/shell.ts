import type { Command } from 'commander';
import type { NodeConnection } from './connection.ts';
import { ExitCode, usageError } from './errors.ts';
import { Output, type Streams } from './output.ts';

export interface GlobalOptions {
  readonly node: readonly string[];
  readonly http: readonly string[];
  readonly timeout: number;
  readonly json?: true;
}

/** What every command gets: where to write, and how to reach a node. */
export class Shell {
  readonly streams: Streams;
  readonly output: Output;
  exitCode: ExitCode = ExitCode.ok;

  constructor(streams: Streams, json: boolean) {
    this.streams = streams;
    this.output = new Output(streams, json);
  }

  /** The options of a command together with the global ones. */
  options<T>(command: Command): T & GlobalOptions {
    return command.optsWithGlobals<T & GlobalOptions>();
  }

  timeoutMs(command: Command): number {
    return this.options(command).timeout * 1000;
  }

  /** Runs `task` with a connection that is closed afterwards, whatever happens. */
  async withConnection<T>(
    command: Command,
    task: (connection: NodeConnection) => Promise<T>,
  ): Promise<T> {
    // MQTT.js takes 100 ms to load, which `dss --help` need not wait for.
    const { NodeConnection } = await import('./connection.ts');
    const { node } = this.options(command);
    const connection = await NodeConnection.open({
      nodes: node,
      timeoutMs: this.timeoutMs(command),
    });
    let done = false;
    try {
      const result = await task(connection);
      done = true;
      return result;
    } finally {
      await connection.close({ force: !done });
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

export function parsePositive(name: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
    throw usageError(`${name} needs a number greater than 0, not '${text}'`);
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
