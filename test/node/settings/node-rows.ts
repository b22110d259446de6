import type { NodeRow } from '../../../node/settings/nodes.ts';

/** A row of an active node; its id and name are the same. */
export function nodeRow(node: string, members: Partial<NodeRow> = {}): NodeRow {
  const mqttAddress = `${node}:1883`;
  const where = { mqttAddress, httpAddress: '', weight: 1, zone: '' };
  return { node, name: node, ...where, state: 'active', sinceMs: 1, ...members };
}
