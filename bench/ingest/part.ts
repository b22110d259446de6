import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contender, type ContenderName, startOurs } from './contenders.ts';
import type { Scenario } from './scenarios.ts';
import type { TurnTimes } from './turn.ts';

/** What every part of the bench is told. */
export interface PartOptions {
  /** Where brokers keep their data, on the disk that is measured. */
  readonly data: string;
  readonly contenders: readonly ContenderName[];
  readonly times: TurnTimes;
}

export function onProgress(what: string): void {
  process.stderr.write(`${what}\n`);
}

/** The rest of a run of hours goes on without what has failed. */
export function onFailed(what: string): (error: unknown) => undefined {
  return (error) => {
    process.stderr.write(`${what} failed: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
    return undefined;
  };
}

/** A directory on that disk, for as long as `run` takes. */
export async function inDirectory<T>(
  data: string,
  run: (directory: string) => Promise<T>,
): Promise<T> {
  await mkdir(data, { recursive: true });
  const directory = await mkdtemp(join(data, 'bench-'));
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A fresh cluster of three nodes, for as long as `run` takes. */
export function onFreshCluster<T>(
  data: string,
  scenario: Scenario,
  settings: Readonly<Record<string, unknown>>,
  run: (dss: Contender) => Promise<T>,
): Promise<T> {
  return inDirectory(data, async (directory) => {
    const dss = await startOurs(directory, scenario, { settings });
    try {
      return await run(dss);
    } finally {
      await dss.close();
    }
  });
}
