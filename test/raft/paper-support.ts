import assert from 'node:assert/strict';
import type { Entry, Message, RaftOptions, ReplicaId, Term } from '../../node/raft/types.ts';
import { TestNode } from './test-node.ts';

export const electionTicks = 5;

export function entry(term: Term, index: number, data: string | number = ''): Entry {
  return { term, index, kind: 1, data: new TextEncoder().encode(`${data}`) };
}

/** A log given by the terms of its entries, as the paper draws them. */
export function logOf(terms: readonly Term[]): Entry[] {
  return terms.map((term, i) => entry(term, i + 1));
}

/** Replica 1 of `count`, as it comes up with that term, vote and log on its disk. */
export function newNode(options: {
  readonly id?: ReplicaId;
  readonly count?: number;
  readonly term?: Term;
  readonly vote?: ReplicaId;
  readonly log?: readonly Entry[];
  readonly randomBelow?: (bound: number) => number;
  readonly limits?: Partial<RaftOptions>;
}): TestNode {
  const { id = 1, count = 3, term = 0, vote = 0, log = [], limits } = options;
  const voters = Array.from({ length: count }, (_, i) => i + 1);
  const node = new TestNode({
    id,
    configuration: { voters, outgoing: [], learners: [] },
    randomBelow: options.randomBelow ?? (() => 0),
    limits: { electionTicks, ...limits },
  });
  node.disk.sync({ hardState: { term, vote, commit: 0 }, entries: log });
  node.restart();
  return node;
}

/** Carries out everything that is to be done, and returns the messages in the order in which they leave. */
export function settle(node: TestNode): Message[] {
  const sent: Message[] = [];
  while (node.hasReady || node.inFlight.length > 0 || node.fetches.length > 0) {
    while (node.fetches.length > 0) node.serveFetch(1000);
    if (node.hasReady) sent.push(...node.processReady().messages);
    while (node.inFlight.length > 0) sent.push(...node.persist());
    node.raft.checkInvariants();
  }
  return sent;
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Delivers a message to the node and returns what it answers. */
export function receive(node: TestNode, message: Without<Message, 'to'>): Message[] {
  node.raft.step({ ...message, to: node.id } as Message);
  return settle(node);
}

export function ofKind<K extends Message['kind']>(
  messages: readonly Message[],
  kind: K,
): Extract<Message, { kind: K }>[] {
  return messages.filter(
    (message): message is Extract<Message, { kind: K }> => message.kind === kind,
  );
}

export function tick(node: TestNode, times: number): Message[] {
  for (let i = 0; i < times; i++) node.raft.tick();
  return settle(node);
}

/** Makes the node a candidate in its next term, as its peers see fit to let it run. */
export function becomeCandidate(node: TestNode, count = 3): Message[] {
  const sent = tick(node, 2 * electionTicks);
  if (count === 1) return sent;
  const term = node.raft.term + 1;
  for (let from = 2; from <= count; from++) {
    node.raft.step({ kind: 'pre-vote-response', from, to: node.id, term, reject: false });
  }
  return settle(node);
}

/** Makes the node the leader of its next term. What it sends as such is returned. */
export function becomeLeader(node: TestNode, count = 3): Message[] {
  becomeCandidate(node, count);
  for (let from = 2; from <= count; from++) {
    const { term } = node.raft;
    node.raft.step({ kind: 'vote-response', from, to: node.id, term, reject: false });
  }
  return settle(node);
}

export function accepted(from: ReplicaId, term: Term, index: number): Without<Message, 'to'> {
  return { kind: 'append-response', from, term, reject: false, index, hintIndex: 0, hintTerm: 0 };
}

export function appendRequest(
  fields: Partial<Extract<Message, { kind: 'append-request' }>>,
): Without<Message, 'to'> {
  return {
    kind: 'append-request',
    from: 2,
    term: 1,
    previousIndex: 0,
    previousTerm: 0,
    entries: [],
    commit: 0,
    releasedIndex: 0,
    ...fields,
  };
}

/** Of either kind; without consequences for a `transfer`, unless one is asked for. */
export function voteRequest(
  fields: Partial<Extract<Message, { kind: 'vote-request' }>> | { kind: VoteKind; term: Term },
): Without<Message, 'to'> {
  const base = { kind: 'vote-request', from: 2, lastIndex: 0, lastTerm: 0, transfer: false };
  return { ...base, ...fields } as Without<Message, 'to'>;
}

type VoteKind = 'vote-request' | 'pre-vote-request';

/** Delivers all messages between some nodes until there are no more. */
export function exchange(nodes: readonly TestNode[], first: readonly Message[]): void {
  for (let messages = [...first]; messages.length > 0; ) {
    for (const message of messages) nodes.find(({ id }) => id === message.to)?.raft.step(message);
    messages = nodes.flatMap(settle);
  }
}

export const write = { kind: 1, data: new Uint8Array(1) };

/** Proposes one entry at the leader, and returns what it sends. */
export function propose(node: TestNode): Message[] {
  assert.equal(node.raft.propose([write]).kind, 'accepted');
  return settle(node);
}

/** Makes the node follow replica 2 in term 1. */
export function becomeFollower(node: TestNode): Message[] {
  return receive(node, appendRequest({ term: 1 }));
}

/** Makes replica 1 the leader and commits the entry that opens its term. Node 3 answers, but has nothing yet. */
export function commitEmptyEntry(node: TestNode): void {
  becomeLeader(node);
  receive(node, accepted(2, node.raft.term, node.raft.lastIndex));
  receive(node, accepted(3, node.raft.term, 0));
  assert.equal(node.raft.commitIndex, 1);
}
