import { systemCode } from '../errors.ts';
import { tryListening } from '../up/ports.ts';
import { type Finding, ok, problem } from './finding.ts';
import { type ListeningProcess, whoListens } from './listener.ts';

/** A port that the node of this machine is to listen on. */
export interface WantedPort {
  readonly check: 'mqtt-port' | 'http-port';
  readonly host: string;
  readonly port: number;
  /** Whether what answers there is a node. */
  readonly isNode: () => Promise<boolean>;
}

/** Free, or taken by whom. A node that runs already is fine. */
export async function examinePort({ check, host, port, isNode }: WantedPort): Promise<Finding> {
  if (port === 0) return ok(check, 'any that is free');
  const why = await tryListening(host, port);
  if (why === undefined) return ok(check, `port ${port} on ${host} is free`);
  const flag = `--${check}`;
  switch (systemCode(why)) {
    case 'EADDRINUSE': {
      const listener = whoListens(port);
      const by = listener === undefined ? '' : `, process ${listener.processId}`;
      if (isNodeProcess(listener) || (await isNode())) {
        return ok(check, `port ${port} on ${host}: a node of DSS listens${by}`);
      }
      const who = describe(listener);
      const advice = `Stop that program, or choose another port with ${flag}.`;
      return problem(check, `port ${port} on ${host} is taken by ${who}`, advice);
    }
    case 'EACCES':
      return problem(
        check,
        `port ${port} on ${host} is only for programs with more rights`,
        `Choose one above 1023 with ${flag}, or give the unit CAP_NET_BIND_SERVICE.`,
      );
    default:
      return problem(
        check,
        `nobody can listen on ${host}: ${why.message}`,
        'Choose an address of this machine with --listen.',
      );
  }
}

function isNodeProcess(listener: ListeningProcess | undefined): boolean {
  return listener !== undefined && /\bdss(\.js)? node\b/.test(listener.command);
}

function describe(listener: ListeningProcess | undefined): string {
  if (listener === undefined) return 'another program (as root, "dss doctor" says which)';
  return `process ${listener.processId}: ${listener.command.slice(0, 80)}`;
}
