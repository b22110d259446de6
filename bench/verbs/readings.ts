import type { RequestClient } from '../request-client.ts';

export const VALUE_BYTES = 64;
const READINGS_PER_BATCH = 1_000;
const BATCHES_IN_FLIGHT = 3;

export interface Reading {
  /** Relative to the prefix of the batch. */
  readonly key: string;
  readonly value: string;
  /** Milliseconds since 1970; without it, when it is stored. */
  readonly time?: number;
}

/** `000042`: keys that sort as their numbers do. */
export function keyName(index: number): string {
  return String(index).padStart(7, '0');
}

export function textOf(index: number): string {
  return String(index).padStart(VALUE_BYTES, '.');
}

/** Stores the readings `from` to `to` in batches, a few under way on each connection. */
export async function writeReadings(
  clients: readonly RequestClient[],
  options: {
    readonly prefix: string;
    readonly from: number;
    readonly to: number;
    readonly reading: (index: number) => Reading;
  },
): Promise<void> {
  let next = options.from;
  const lane = async (client: RequestClient): Promise<void> => {
    while (next < options.to) {
      const start = next;
      next = Math.min(options.to, start + READINGS_PER_BATCH);
      const batch = Array.from({ length: next - start }, (_, i) => options.reading(start + i));
      await client.publish(`dss/batch/${options.prefix}`, Buffer.from(JSON.stringify(batch)));
    }
  };
  const lanes = clients.flatMap((client) =>
    Array.from({ length: BATCHES_IN_FLIGHT }, () => lane(client)),
  );
  await Promise.all(lanes);
}
