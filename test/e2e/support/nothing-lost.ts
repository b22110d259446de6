import { expect } from 'vitest';
import { eventually, HANGS_MS } from '../../support/eventually.ts';
import { gather } from './clients.ts';
import { PatientClient } from './patient-client.ts';
import type { FleetKey, FleetTimes, PublishingFleet } from './publishing-fleet.ts';
import type { ClusterNode } from './test-cluster.ts';

/** What a node holds of an acknowledged put: nothing, or something older. */
interface Loss {
  readonly node: string;
  readonly key: string;
  readonly acknowledged: number;
  readonly found: string | undefined;
}

/** Stops a fleet, says how it fared, and looks for what it was promised. */
export async function expectWhole(
  scenario: string,
  fleet: PublishingFleet,
  nodes: readonly ClusterNode[],
): Promise<FleetTimes> {
  await fleet.stop();
  const times = fleet.times();
  const { acknowledged, repeated, silenceMs, p99Ms, waitMs } = times;
  console.log(
    `${scenario}: ${acknowledged} puts acknowledged, ${repeated} repeated; longest without any ${silenceMs} ms; ` +
      `from sending to PUBACK p99 ${p99Ms} ms, longest ${waitMs} ms`,
  );
  await expectNothingLost(fleet, nodes);
  return times;
}

/**
 * Reads every key of a fleet that has stopped from every node, as a new subscriber is told its values. A value that
 * is older than the last acknowledged one is allowed in one case only: the fleet had to repeat that put, what it
 * sent first arrived last (docs/MQTT.md, Storing), and the acknowledged one stands in the key's history.
 */
export async function expectNothingLost(
  fleet: PublishingFleet,
  nodes: readonly ClusterNode[],
  snapshotMs = HANGS_MS,
): Promise<void> {
  const found = await Promise.all(nodes.map((node) => lossesAt(node, fleet, snapshotMs)));
  const losses = found.flat();
  const overtaken = await overtakenKeys(fleet, losses, nodes);
  expect(losses.filter(({ key }) => !overtaken.has(key))).toEqual([]);
  if (overtaken.size > 0) console.log(`${fleet.prefix}: ${overtaken.size} repeated puts came late`);
}

async function lossesAt(
  node: ClusterNode,
  fleet: PublishingFleet,
  snapshotMs: number,
): Promise<Loss[]> {
  const values = new Map<string, string>();
  const written = fleet.keys.filter(({ acknowledged }) => acknowledged > 0);
  const reader = await gather(node, `dss/value/${fleet.prefix}/#`);
  const isThere = () => {
    for (const { topic, payload } of reader.messages.splice(0)) {
      values.set(topic.slice('dss/value/'.length), payload);
    }
    return written.every(({ key }) => values.has(key));
  };
  // What does not come in this time is what the caller is told.
  await eventually('every key', () => isThere() || undefined, snapshotMs).catch(() => {});
  await reader.client.endAsync(true);
  return written.flatMap(({ key, acknowledged, sent }) => {
    const value = values.get(key);
    const number = Number(value ?? 0);
    expect(number, `${key} at ${node.name} is nothing that was sent`).toBeLessThanOrEqual(sent);
    return number >= acknowledged ? [] : [{ node: node.name, key, acknowledged, found: value }];
  });
}

async function overtakenKeys(
  fleet: PublishingFleet,
  losses: readonly Loss[],
  nodes: readonly ClusterNode[],
): Promise<Set<string>> {
  const keys = new Map<string, FleetKey>(fleet.keys.map((key) => [key.key, key]));
  const overtaken = new Set<string>();
  const suspects = losses.filter(({ key, found }) => keys.get(key)?.repeated.has(Number(found)));
  if (suspects.length === 0) return overtaken;
  const client = await PatientClient.connect(nodes);
  for (const { key, acknowledged } of suspects) {
    const { items = [] } = await client.ask(`history/${key}`);
    if (items.some(({ value }) => value === String(acknowledged))) overtaken.add(key);
  }
  await client.close();
  return overtaken;
}
