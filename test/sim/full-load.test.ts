import { describe, expect, it } from 'vitest';
import type { WriteSink } from '../../broker/data-plane.ts';
import { encode, type Machine, SimCluster } from './cluster.ts';

const WRITERS_PER_NODE = 320;

/** Each writer counts upwards in a key of its own, the next number as soon as one is acknowledged. */
function startLoad(cluster: SimCluster): Map<string, number> {
  const acknowledged = new Map<string, number>();
  for (const machine of cluster.machines) {
    const dataPlane = cluster.dataPlane(machine);
    const keys = Array.from({ length: WRITERS_PER_NODE }, (_, i) => `${machine.name}/${i}`);
    const sent = keys.map(() => 0);
    const write = (writer: number) => {
      sent[writer] = (sent[writer] as number) + 1;
      const key = encode(keys[writer] as string);
      const bytes = Uint8Array.of(...key, ...encode(String(sent[writer])));
      dataPlane.write(sink, writer, bytes, 0, key.length, key.length, bytes.length);
    };
    const sink: WriteSink = {
      writeCommitted: (writer) => {
        acknowledged.set(keys[writer] as string, sent[writer] as number);
        cluster.world.at(1, () => machine.life?.reach(() => write(writer)));
      },
      writeFailed: () => {},
      writesDrained: () => {},
    };
    for (let writer = 0; writer < WRITERS_PER_NODE; writer++) write(writer);
  }
  return acknowledged;
}

async function missing(
  cluster: SimCluster,
  machine: Machine,
  acknowledged: ReadonlyMap<string, number>,
): Promise<string[]> {
  const lost: string[] = [];
  for (const [key, count] of acknowledged) {
    const stored = await cluster.get(machine, key);
    if (!(Number(stored) >= count)) lost.push(`${key}: ${stored} for ${count}`);
  }
  return lost;
}

describe('at full load, with 960 writes on their way', () => {
  it.each([0, 1, 2])(
    'whatever is acknowledged is fsynced by a majority: all lose power, and node %i its disk',
    async (lost) => {
      const cluster = new SimCluster({ nodes: 3, seed: 31 + lost, shardCount: 16 });
      await cluster.startAll();
      // Whoever counted on the others before they had synced would lose what the quick one alone has.
      for (const machine of cluster.machines) machine.syncMs = 20;
      cluster.machine(lost).syncMs = 1;
      const acknowledged = startLoad(cluster);
      const writers = cluster.machines.length * WRITERS_PER_NODE;
      await cluster.world.until('every writer has got on', () => acknowledged.size === writers);
      await cluster.world.run(50 + lost);
      for (const machine of cluster.machines) cluster.cutPower(machine);
      const left = cluster.machines.filter((_, i) => i !== lost);
      for (const machine of left) cluster.launch(machine);
      await cluster.untilLed(left);
      expect(await missing(cluster, left[0] as Machine, acknowledged)).toEqual([]);
    },
  );
});
