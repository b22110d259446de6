import { ingestRuleFromProto, ingestRuleToProto } from '../../broker/ingest-rules/rule.ts';
import { encode, kv } from '../../protos/index.ts';
import { ruleFromProto, ruleToProto } from '../retention/rules.ts';
import type { NodeRow, NodeState } from './nodes.ts';
import type { Settings } from './settings.ts';

/** As settings travel between nodes, and are stored by the meta group. */
export function settingsToProto(settings: Settings): kv.Settings.$Properties {
  return {
    revision: settings.revision,
    retention: settings.retention.map(ruleToProto),
    ingest: settings.ingest.map(ingestRuleToProto),
    nodes: settings.nodes.map(nodeRowToProto),
    leases: settings.leases.map((lease) => ({ ...lease })),
  };
}

/** Rules were checked when they were made; what another node sends, or a log has stored, is taken as it is. */
export function settingsFromProto(settings: kv.Settings.$Properties): Settings {
  return {
    revision: settings.revision ?? 0,
    retention: (settings.retention ?? []).map(ruleFromProto),
    ingest: (settings.ingest ?? []).map(ingestRuleFromProto),
    nodes: (settings.nodes ?? []).map(nodeRowFromProto),
    leases: (settings.leases ?? []).map(({ name = '', node = '' }) => ({ name, node })),
  };
}

export function settingsBytes(settings: Settings): Uint8Array {
  return encode(kv.Settings, settingsToProto(settings));
}

const STATES: Readonly<Record<NodeState, kv.NodeState>> = {
  joining: kv.NodeState.NODE_JOINING,
  active: kv.NodeState.NODE_ACTIVE,
  leaving: kv.NodeState.NODE_LEAVING,
  dead: kv.NodeState.NODE_DEAD,
  gone: kv.NodeState.NODE_GONE,
};
const STATE_NAMES = new Map(Object.entries(STATES).map(([name, state]) => [state, name]));

export function nodeRowToProto(row: NodeRow): kv.NodeRow.$Properties {
  return { ...row, state: STATES[row.state] };
}

/** A state that this version does not know is one of a node that takes part. */
export function nodeRowFromProto(row: kv.NodeRow.$Properties): NodeRow {
  const { node = '', name = '', mqttAddress = '', httpAddress = '', weight, zone = '' } = row;
  return {
    ...{ node, name, mqttAddress, httpAddress, zone },
    weight: weight === undefined || weight === 0 ? 1 : weight,
    state: (STATE_NAMES.get(row.state as kv.NodeState) ?? 'active') as NodeState,
    sinceMs: row.sinceMs ?? 0,
    ...(row.hasLeft === true ? { hasLeft: true } : {}),
  };
}
