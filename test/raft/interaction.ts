import assert from 'node:assert/strict';
import {
  EntryKind,
  type Message,
  type ProposeConfigurationResult,
  type RaftOptions,
} from '../../node/raft/types.ts';
import { utf8 } from '../support/text.ts';
import { describeConfiguration, encodeConfiguration } from './configurations.ts';
import type { Command } from './datadriven.ts';
import { describeEntry, describeMessage, describeReady } from './describe.ts';
import { type Snapshot, TestNode, type TestNodeOptions } from './test-node.ts';

/** The interpreter of testdata/*.txt: a few nodes, and messages that lie there until they are delivered. */
export class Interaction {
  readonly #nodes = new Map<number, TestNode>();
  #network: Message[] = [];
  /** On their way, oldest first. */
  readonly #shipments: { readonly to: number; readonly snapshot: Snapshot }[] = [];
  readonly #isolated = new Set<number>();

  handle(command: Command): string {
    const answer = this.#handle(command);
    for (const { raft } of this.#nodes.values()) raft.checkInvariants();
    return answer;
  }

  #handle(command: Command): string {
    switch (command.name) {
      case 'add-nodes': // add-nodes 3 learners=(4) genesis=1 election-ticks=5 append-bytes=100 …
        return this.#addNodes(command);
      case 'add-newcomer': // add-newcomer 4: a replica that knows nothing
        this.#addNode({ id: command.argument(0), configuration: undefined }, command);
        return '';
      case 'campaign': // campaign 1
        return this.#at(command).raft.campaign() ?? '';
      case 'tick': // tick 1 times=3
        return this.#repeat(command, (node) => node.raft.tick());
      case 'propose': // propose 1 a b c
        return this.#propose(command);
      case 'propose-configuration': // propose-configuration 1 voters=(1,2,4) outgoing=(1,2,3)
        return this.#proposeConfiguration(command);
      case 'transfer': // transfer 1 to=2
        return `${this.#at(command).raft.transferLeadership(command.number('to', 0))}`;
      case 'read-index': // read-index 1 token=7
        return this.#at(command).raft.readIndex(command.number('token', 1)) ?? '';
      case 'unreachable': // unreachable 1 peer=2
        return this.#at(command).raft.peerUnreachable(command.number('peer', 0)) ?? '';
      case 'process-ready': // process-ready 1
        return this.#eachOf(command, (node) => this.#processReady(node));
      case 'persist': // persist 1
        return this.#eachOf(command, (node) => this.#persist(node));
      case 'serve-fetches': // serve-fetches 1 entries=2
        return this.#serveFetches(this.#at(command), command.number('entries', 1000));
      case 'send-snapshot': // send-snapshot 1: to whom it has been needing one for longest
        return this.#sendSnapshot(this.#at(command));
      case 'install-snapshot': // install-snapshot 3
        return this.#installSnapshot(this.#at(command));
      case 'finish-snapshot': // finish-snapshot 1 to=3 index=7, or without the index: it has failed
        return this.#finishSnapshot(command);
      case 'deliver-msgs': // deliver-msgs 1 2 from=3 drop=(2) kinds=append-request count=1
        return this.#deliver(command);
      case 'duplicate-msgs': // duplicate-msgs
        this.#network.push(...this.#network);
        return this.#describeNetwork();
      case 'network': // network
        return this.#describeNetwork();
      case 'stabilize': // stabilize 1 2 quiet=1 snapshots=0
        return this.#stabilize(command);
      case 'isolate': // isolate 1
        this.#isolated.add(command.argument(0));
        return '';
      case 'heal': // heal
        this.#isolated.clear();
        return '';
      case 'restart': // restart 1 kept=1
        this.#at(command).restart(command.number('kept', 0));
        return this.#status(this.#at(command));
      case 'release-memory': // release-memory 1 index=5
        return this.#at(command).raft.releaseMemory(command.number('index', 0)) ?? '';
      case 'compact': // compact 1 index=5
        this.#at(command).flush();
        this.#at(command).compact(command.number('index', 0));
        return this.#status(this.#at(command));
      case 'configuration': // configuration 1
        return this.#eachOf(command, (node) => this.#describeConfigurations(node));
      case 'raft-log': // raft-log 1
        return this.#eachOf(command, (node) => this.#describeLog(node));
      case 'status': // status 1
        return this.#eachOf(command, (node) => this.#status(node));
      default:
        throw new Error(`unknown command ${command.name}`);
    }
  }

  #at(command: Command): TestNode {
    const node = this.#nodes.get(command.argument(0));
    assert(node !== undefined, `no node ${command.positional[0]}`);
    return node;
  }

  /** The nodes that the command names, or all of them. */
  #selected(command: Command): TestNode[] {
    if (command.positional.length === 0) return [...this.#nodes.values()];
    return command.positional.map((id) => {
      const node = this.#nodes.get(Number(id));
      assert(node !== undefined, `no node ${id}`);
      return node;
    });
  }

  #eachOf(command: Command, act: (node: TestNode) => string): string {
    const selected = this.#selected(command);
    if (selected.length === 1) return act(selected[0] as TestNode);
    return selected.map((node) => `${node.id}:\n${indent(act(node))}`).join('\n');
  }

  #repeat(command: Command, act: (node: TestNode) => void): string {
    const times = command.number('times', 1);
    for (let i = 0; i < times; i++) for (const node of this.#selected(command)) act(node);
    return '';
  }

  #addNodes(command: Command): string {
    const learners = command.numbers('learners') ?? [];
    const count = command.argument(0);
    const ids = Array.from({ length: count }, (_, i) => i + 1);
    const voters = ids.filter((id) => !learners.includes(id));
    // Newcomers have not even the entry that the group as it was created counts as.
    const genesis = command.number('genesis', 0);
    const start = { index: genesis, term: genesis };
    for (const id of ids) {
      const configuration = { voters, outgoing: [], learners };
      this.#addNode({ id, configuration, start }, command);
    }
    return '';
  }

  #addNode(
    options: Pick<TestNodeOptions, 'id' | 'configuration' | 'start'>,
    command: Command,
  ): void {
    const names: [keyof RaftOptions, string][] = [
      ['electionTicks', 'election-ticks'],
      ['heartbeatTicks', 'heartbeat-ticks'],
      ['appendBytesMax', 'append-bytes'],
      ['inflightBytesMax', 'inflight-bytes'],
      ['uncommittedBytesMax', 'uncommitted-bytes'],
      ['committedBytesMax', 'committed-bytes'],
      ['releaseTicks', 'release-ticks'],
    ];
    const limits: Record<string, number> = {};
    for (const [key, option] of names) {
      if (command.option(option) !== undefined) limits[key] = command.number(option, 0);
    }
    const { id } = options;
    // Node n waits n - 1 ticks longer than the election timeout, and numbers its questions from 0.
    const randomBelow = (bound: number) => (bound > 1000 ? 0 : (id - 1) % bound);
    this.#nodes.set(id, new TestNode({ ...options, randomBelow, limits }));
  }

  #propose(command: Command): string {
    const proposals = command.positional.slice(1).map((text) => {
      const [, letter, times] = text.match(/^(.)\*(\d+)$/) ?? [];
      const data = letter === undefined ? text : letter.repeat(Number(times));
      return { kind: EntryKind.write, data: utf8(data) };
    });
    return describeResult(this.#at(command).raft.propose(proposals));
  }

  #proposeConfiguration(command: Command): string {
    const data = encodeConfiguration({
      voters: command.numbers('voters') ?? [],
      outgoing: command.numbers('outgoing') ?? [],
      learners: command.numbers('learners') ?? [],
      demoted: command.numbers('demoted') ?? [],
    });
    return describeResult(this.#at(command).raft.proposeConfiguration(data));
  }

  #sendSnapshot(node: TestNode): string {
    const taken = node.takeSnapshot();
    if (taken === undefined) return 'nobody needs one';
    const { needed, snapshot } = taken;
    this.#shipments.push({ to: needed.to, snapshot });
    const { index, term } = snapshot.position;
    return `snapshot at ${term}/${index} for ${needed.to}`;
  }

  #installSnapshot(node: TestNode): string {
    const at = this.#shipments.findIndex(({ to }) => to === node.id);
    const [shipment] = at < 0 ? [] : this.#shipments.splice(at, 1);
    if (shipment === undefined) return 'no snapshot';
    while (node.inFlight.length > 0) this.#persist(node);
    const index = node.install(shipment.snapshot);
    return index === undefined ? 'cannot say' : `has up to ${index}`;
  }

  #finishSnapshot(command: Command): string {
    const { raft } = this.#at(command);
    const index = command.number('index', 0);
    raft.snapshotFinished(command.number('to', 0), raft.term, index === 0 ? undefined : index);
    return '';
  }

  /** All at once, and nothing is lost. */
  #ship(node: TestNode, receiver: TestNode): string {
    const taken = node.takeSnapshot();
    assert(taken !== undefined, 'a snapshot is needed');
    const { needed, snapshot } = taken;
    while (receiver.inFlight.length > 0) this.#persist(receiver);
    const index = receiver.install(snapshot);
    node.raft.snapshotFinished(needed.to, needed.term, index);
    const { position } = snapshot;
    return `snapshot at ${position.term}/${position.index} for ${needed.to}: ${index ? 'installed' : 'failed'}`;
  }

  #processReady(node: TestNode): string {
    if (!node.hasReady) return 'nothing';
    const { ready, messages } = node.processReady();
    this.#network.push(...messages);
    return describeReady(ready);
  }

  #persist(node: TestNode): string {
    if (node.inFlight.length === 0) return 'nothing in flight';
    const messages = node.persist();
    this.#network.push(...messages);
    return messages.map((message) => `send ${describeMessage(message)}`).join('\n') || 'ok';
  }

  #serveFetches(node: TestNode, entriesMax: number): string {
    const lines: string[] = [];
    for (let count = node.fetches.length; count > 0; count--) {
      const fetch = node.serveFetch(entriesMax);
      if (fetch) lines.push(`fetched for ${fetch.to} from ${fetch.firstIndex}`);
    }
    return lines.join('\n') || 'nothing to fetch';
  }

  #deliver(command: Command): string {
    const to = command.positional.map(Number);
    const from = command.numbers('from');
    const drop = command.numbers('drop') ?? [];
    const kinds = command.option('kinds')?.split(',');
    const isMeant = (message: Message) =>
      (to.length === 0 || to.includes(message.to) || drop.includes(message.to)) &&
      (from === undefined || from.includes(message.from)) &&
      (kinds === undefined || kinds.includes(message.kind));
    const count = command.number('count', Infinity);
    const meant: Message[] = [];
    const rest: Message[] = [];
    for (const message of this.#network) {
      (isMeant(message) && meant.length < count ? meant : rest).push(message);
    }
    this.#network = rest;
    return meant.map((message) => this.#deliverOne(message, drop)).join('\n') || 'no messages';
  }

  #deliverOne(message: Message, drop: readonly number[]): string {
    const { from, to } = message;
    const isLost = drop.includes(to) || this.#isolated.has(from) || this.#isolated.has(to);
    if (!isLost) this.#nodes.get(to)?.raft.step(message);
    return `${describeMessage(message)}${isLost ? ' (lost)' : ''}`;
  }

  /** Everything that can happen without ticks and proposals, until nothing more does. */
  #stabilize(command: Command): string {
    const isQuiet = command.number('quiet', 0) === 1;
    const nodes = this.#selected(command);
    const receivers = command.number('snapshots', 1) === 1 ? nodes : [];
    const lines: string[] = [];
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const node of nodes) {
        const steps = this.#settle(node, receivers);
        if (steps.length === 0) continue;
        isBusy = true;
        lines.push(`${node.id}:`, indent(steps.join('\n')));
      }
      const isMeant = ({ to }: Message) => nodes.some(({ id }) => id === to);
      const meant = this.#network.filter(isMeant);
      this.#network = this.#network.filter((message) => !isMeant(message));
      for (const message of meant) {
        isBusy = true;
        const delivered = this.#deliverOne(message, []);
        if (delivered.endsWith('(lost)')) lines.push(delivered);
      }
    }
    return isQuiet ? '' : lines.join('\n') || 'nothing happens';
  }

  /** Snapshots reach the `receivers` only. */
  #settle(node: TestNode, receivers: readonly TestNode[]): string[] {
    const steps: string[] = [];
    const reachable = () => receivers.find(({ id }) => id === node.snapshots[0]?.to);
    const isBusy = () => node.hasReady || node.fetches.length + node.inFlight.length > 0;
    while (isBusy() || reachable() !== undefined) {
      const receiver = reachable();
      if (receiver !== undefined) steps.push(this.#ship(node, receiver));
      if (node.fetches.length > 0) steps.push(this.#serveFetches(node, 1000));
      if (node.hasReady) steps.push(this.#processReady(node));
      while (node.inFlight.length > 0) this.#persist(node);
    }
    return steps;
  }

  #describeNetwork(): string {
    return this.#network.map(describeMessage).join('\n') || 'no messages';
  }

  #describeLog({ disk, raft }: TestNode): string {
    const entries = disk.read(disk.start.index + 1, disk.lastIndex).map(describeEntry);
    const start = `starts after ${disk.start.term}/${disk.start.index}`;
    const end = `in memory up to ${raft.termAt(raft.lastIndex)}/${raft.lastIndex}`;
    return [start, ...entries, end].join('\n');
  }

  #describeConfigurations({ raft }: TestNode): string {
    const lines = raft.configurations.map(
      ({ index, term, data }) => `${term}/${index} ${describeConfiguration(data)}`,
    );
    if (!raft.isConfigurationCommitted) lines.push('not committed');
    return lines.join('\n') || 'none';
  }

  #status({ raft }: TestNode): string {
    const status = raft.status();
    const { role, term, vote, leader, appliedIndex, commitIndex, stableIndex, lastIndex } = status;
    const lines = [
      `${role} in term ${term}, vote ${vote}, leader ${leader}`,
      `applied ${appliedIndex} commit ${commitIndex} stable ${stableIndex} last ${lastIndex} releasable ${status.releasableIndex}`,
    ];
    if (status.transferee !== 0) lines.push(`hands over to ${status.transferee}`);
    for (const each of status.progress) {
      const { replica, state, match, next, inflightBytes } = each;
      if (replica === status.replicaId) continue;
      const names = ['learner', 'paused', 'active'] as const;
      const flags = names.filter((name) => each[name]).join(' ');
      const inflight = inflightBytes > 0 ? ` inflight ${inflightBytes}` : '';
      lines.push(`${replica}: ${state} match ${match} next ${next}${inflight} ${flags}`.trimEnd());
    }
    return lines.join('\n');
  }
}

function describeResult(result: ProposeConfigurationResult): string {
  switch (result.kind) {
    case 'accepted':
      return `accepted from ${result.term}/${result.firstIndex}`;
    case 'busy':
      return 'busy';
    case 'not-leader':
      return `not leader, try ${result.leader || 'later'}`;
    case 'refused':
      return `refused: ${result.reason}`;
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
