import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below those that systems give to outgoing connections (32768 and up on Linux), and for each of the processes in which
 * tests run beside each other a thousand of its own: who listens here may stop and start again, and nobody has taken
 * the port in between.
 */
const COUNT = 1_000;
const FIRST = 10_000 + COUNT * (Number(process.env.VITEST_POOL_ID ?? 0) % 10);

const given = new Set<number>();

/** Loopback ports that are free, and that this process was not given before. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + randomInt(COUNT);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
