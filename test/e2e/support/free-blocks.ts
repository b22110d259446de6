import { freePorts } from '../../../bench/free-ports.ts';
import { choosePorts } from '../../../clients/cli/up/ports.ts';

/** The first ports of two blocks of three that are free: for MQTT and for HTTP of a `dss up`. */
export async function freeBlocks(): Promise<[number, number]> {
  const [seed] = (await freePorts(1)) as [number];
  const base = 20_000 + (seed % 10_000);
  const choice = { purpose: 'a test', base, fixed: false, flag: '' };
  const mqtt = await choosePorts(choice, 3);
  const http = await choosePorts({ ...choice, base: (mqtt[2] as number) + 1 }, 3);
  return [mqtt[0] as number, http[0] as number];
}
