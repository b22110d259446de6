import { type EditResult, edited, type Settings, type SettingsEdit } from './settings.ts';

/**
 * One row of the node table. `leaving` nodes are given nothing more and go when they hold nothing; `dead` ones were silent
 * for so long, or replaced, that their data is replicated elsewhere; `gone` ones hold nothing. Who is dead or gone
 * never comes back under its id.
 */
export interface NodeRow {
  readonly node: string;
  /** Of one node that is neither dead nor gone. */
  readonly name: string;
  readonly mqttAddress: string;
  /** Empty while it is not known. */
  readonly httpAddress: string;
  /** Its share of the data against other nodes, above 0. */
  readonly weight: number;
  /** Replicas of a shard prefer different ones. */
  readonly zone: string;
  readonly state: NodeState;
  /** Wall clock of the node that changed the state, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Of one that is gone: it was told to leave, and gave everything away. Who looks late has not seen it leaving. */
  readonly hasLeft?: true;
}

export type NodeState = 'joining' | 'active' | 'leaving' | 'dead' | 'gone';

/** What the genesis says of the nodes that a cluster was created with. */
export interface FirstNodes {
  readonly createdAtMs: number;
  readonly nodes: readonly (Pick<NodeRow, 'node' | 'name' | 'mqttAddress'> &
    Partial<Pick<NodeRow, 'weight' | 'zone'>>)[];
}

/** Nodes that are neither dead nor gone. Every node has a connection to every other. */
export const NODES_MAX = 10;
/** Rows of nodes that are gone; the oldest are forgotten. */
const GONE_MAX = 100;
const WEIGHT_MAX = 100;

/** States that can follow. Nothing leads back from `dead`: its replicas are given to others from then on. */
const NEXT_STATES: Readonly<Record<NodeState, readonly NodeState[]>> = {
  joining: ['active', 'leaving', 'dead', 'gone'],
  active: ['leaving', 'dead', 'gone'],
  leaving: ['dead', 'gone'],
  dead: ['gone'],
  gone: [],
};

/** Whether this node will never take part again under its id. */
export function isRemoved({ state }: Pick<NodeRow, 'state'>): boolean {
  return state === 'dead' || state === 'gone';
}

/** Who the nodes of the cluster are; before the first settings say so, those of the genesis. */
export function nodeTable(
  settings: Pick<Settings, 'nodes'>,
  genesis: FirstNodes,
): readonly NodeRow[] {
  if (settings.nodes.length > 0) return settings.nodes;
  return genesis.nodes.map(({ node, name, mqttAddress, weight = 1, zone = '' }) => ({
    ...{ node, name, mqttAddress, httpAddress: '', weight, zone },
    ...{ state: 'active', sinceMs: genesis.createdAtMs },
  }));
}

/** An edit of the node table. Without this, one that came before the first settings would lose the first nodes. */
export function editNodeTable(genesis: FirstNodes, edit: SettingsEdit): SettingsEdit {
  return (settings) => {
    const nodes = nodeTable(settings, genesis);
    if (nodes === settings.nodes) return edit(settings);
    const filled = { ...settings, nodes };
    const result = edit(filled);
    return result.settings === filled ? { settings } : result;
  };
}

/** Whose place a node takes: that of a name, or the one that it had itself under another id. */
export type Replaced = { readonly name: string } | { readonly node: string };

/**
 * Lets a node in, or lets it in again where its first answer was lost. Whom it replaces is dead from now on, whatever
 * that one is doing.
 */
export function addNode(settings: Settings, row: NodeRow, replaced?: Replaced): EditResult {
  const known = settings.nodes.find(({ node }) => node === row.node);
  const isSuccessor = replaced !== undefined && 'node' in replaced;
  if (known !== undefined) {
    return letInAgain(settings, known, isSuccessor ? { ...row, weight: known.weight } : row);
  }
  if (isSuccessor) return succeedNode(settings, row, replaced.node);
  const named = settings.nodes.filter(({ name }) => name === replaced?.name);
  if (replaced !== undefined && named.length === 0) return notFound(replaced.name);
  return addRow(
    settings,
    row,
    named.find((each) => !isRemoved(each)),
  );
}

/**
 * A node that begins anew under another id. Only what it was itself is replaced, never a node that somebody has put
 * there since; and what people have decided about it still holds.
 */
function succeedNode(settings: Settings, row: NodeRow, node: string): EditResult {
  const former = settings.nodes.find((each) => each.node === node);
  if (former === undefined || isRemoved(former)) {
    const message = `node ${node} is ${former?.state ?? 'unknown'} to the cluster, so ${row.name}, which was that node and has to begin anew, cannot take its place: start it with an empty data directory and --join`;
    return { problem: { kind: 'node-removed', message } };
  }
  const state = former.state === 'leaving' ? former.state : row.state;
  return addRow(settings, { ...row, state, weight: former.weight }, former);
}

function addRow(settings: Settings, row: NodeRow, replaced: NodeRow | undefined): EditResult {
  const others = settings.nodes.map((each) => (each === replaced ? dead(each, row.sinceMs) : each));
  const taken = ofName(others, row.name);
  if (taken !== undefined) return nameTaken(taken);
  if (others.filter((each) => !isRemoved(each)).length >= NODES_MAX) {
    const message = `a cluster has at most ${NODES_MAX} nodes: remove one first, with "dss node leave"`;
    return { problem: { kind: 'too-many-nodes', message } };
  }
  return withNodes(settings, [...others, row]);
}

/** Its answer was lost; meanwhile somebody may have changed its flags. */
function letInAgain(settings: Settings, known: NodeRow, row: NodeRow): EditResult {
  if (isRemoved(known) || known.state === 'leaving') return cannotBe(known, 'let in again');
  const taken = ofName(settings.nodes, row.name);
  if (taken !== undefined && taken !== known) return nameTaken(taken);
  const { state, sinceMs } = known;
  return replaceRow(settings, known, { ...row, state, sinceMs });
}

/** Tells a node, by its name, to give everything away and go. */
export function leaveNode(settings: Settings, name: string, nowMs: number): EditResult {
  const row = ofName(settings.nodes, name);
  if (row === undefined) return notFound(name);
  const staying = settings.nodes.filter((each) => !isRemoved(each) && each.state !== 'leaving');
  if (staying.length === 1 && staying[0] === row) {
    const message = `${name} is the last node that stays: stop it instead, or let another one join first`;
    return { problem: { kind: 'last-node', message } };
  }
  return setNodeState(settings, row.node, 'leaving', nowMs);
}

/** @param node its id */
export function setNodeState(
  settings: Settings,
  node: string,
  state: NodeState,
  nowMs: number,
): EditResult {
  const row = settings.nodes.find((each) => each.node === node);
  if (row === undefined) return notFound(node);
  if (row.state === state) return { settings };
  if (!NEXT_STATES[row.state].includes(state)) return cannotBe(row, state);
  const next: NodeRow = { ...row, state, sinceMs: nowMs };
  const hasLeft = row.state === 'leaving' && state === 'gone';
  return replaceRow(settings, row, hasLeft ? { ...next, hasLeft } : next);
}

/** For a node whose addresses have changed. */
export function setNodeAddresses(
  settings: Settings,
  node: string,
  addresses: Pick<NodeRow, 'mqttAddress' | 'httpAddress'>,
): EditResult {
  const row = settings.nodes.find((each) => each.node === node);
  if (row === undefined) return notFound(node);
  const { mqttAddress, httpAddress } = addresses;
  return replaceRow(settings, row, { ...row, mqttAddress, httpAddress });
}

/** @param weight must be one that `isWeight` */
export function setNodeWeight(settings: Settings, name: string, weight: number): EditResult {
  const row = ofName(settings.nodes, name);
  if (row === undefined) return notFound(name);
  return replaceRow(settings, row, { ...row, weight });
}

export function isWeight(weight: unknown): weight is number {
  return typeof weight === 'number' && weight > 0 && weight <= WEIGHT_MAX;
}

/** The one row of this name that counts. */
function ofName(nodes: readonly NodeRow[], name: string): NodeRow | undefined {
  return nodes.find((each) => each.name === name && !isRemoved(each));
}

function dead(row: NodeRow, nowMs: number): NodeRow {
  return { ...row, state: 'dead', sinceMs: nowMs };
}

function replaceRow(settings: Settings, row: NodeRow, next: NodeRow): EditResult {
  return withNodes(settings, settings.nodes.with(settings.nodes.indexOf(row), next));
}

function withNodes(settings: Settings, nodes: readonly NodeRow[]): EditResult {
  const gone = nodes.filter(({ state }) => state === 'gone').sort((a, b) => a.sinceMs - b.sinceMs);
  const forgotten = new Set(gone.slice(0, Math.max(0, gone.length - GONE_MAX)));
  return edited(settings, { ...settings, nodes: nodes.filter((row) => !forgotten.has(row)) });
}

function notFound(name: string): EditResult {
  return { problem: { kind: 'not-found', message: `there is no node ${name}` } };
}

function cannotBe({ name, node, state }: NodeRow, wanted: string): EditResult {
  const message = `node ${node} (${name}) is ${state}, and cannot be ${wanted}`;
  return { problem: { kind: 'node-removed', message } };
}

function nameTaken({ name, node, state }: NodeRow): EditResult {
  const message = `the name ${name} is taken: the cluster knows it as node ${node}, which is ${state}. Choose another --name, or take its place with --replace ${name}: it is removed then, for ever.`;
  return { problem: { kind: 'name-taken', message } };
}
