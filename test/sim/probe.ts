import { crc32c } from '../../lsm/hash/crc32c.ts';
import type { LogEntry } from '../../lsm/log/types.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { ActiveNode } from '../../node/active-node.ts';
import { logFolder } from '../../node/folders.ts';
import type { Entry } from '../../node/raft/types.ts';
import type { Replica } from '../../node/shard/replica.ts';
import { GroupSafety, type SeenEntry } from './checkers/group-safety.ts';
import { DurableLog } from './durable-log.ts';

/**
 * Watches what the replicas of all nodes put into their logs, sync and apply, and tells the checkers. It stands
 * between a host and its parts, which know nothing of it.
 */
export class Probe {
  readonly #groups = new Map<number, GroupSafety>();
  readonly #watched = new WeakSet<Replica>();
  /** By machine: the id of its node. */
  readonly #ids = new Map<string, string>();
  readonly #logs = new Map<string, DurableLog>();
  /** What a checker says in the middle of a node's work must not be taken for that node's own failure. */
  readonly #guard: (check: () => void) => void;

  constructor(guard: (check: () => void) => void) {
    this.#guard = guard;
  }

  /** To be called before anything reaches the node's replicas. */
  attach(node: string, id: string, active: ActiveNode): void {
    if ((this.#ids.get(node) ?? id) !== id) {
      for (const group of this.#groups.values()) group.beginsAfter(node, 0);
    }
    this.#ids.set(node, id);
    for (const replica of active.host.replicas()) {
      this.#tellRecovered(node, replica);
      this.#watch(node, replica, active);
    }
    this.#watchLog(node, active);
  }

  /** A node that has been attached ends; what it has synced must be on its disk. */
  ended(node: string, generation: number, disk: CrashableMemVfs): void {
    const log = this.#logs.get(node);
    this.#logs.delete(node);
    log?.check(disk, `/data/${logFolder(generation)}`).catch((error) =>
      this.#guard(() => {
        throw error;
      }),
    );
  }

  #watch(node: string, replica: Replica, active: ActiveNode): void {
    this.#watched.add(replica);
    this.#watchLeading(node, replica);
    this.#watchApplying(node, replica, active);
  }

  group(group: number): GroupSafety {
    const known = this.#groups.get(group) ?? new GroupSafety(group);
    this.#groups.set(group, known);
    return known;
  }

  /** What a node finds in its log at a start is on its disk: opening the log saw to that. */
  #tellRecovered(node: string, { identity, raft }: Replica): void {
    const group = this.group(identity.group);
    group.beginsAfter(node, raft.logStart.index);
    for (let index = raft.logStart.index + 1; index <= raft.lastIndex; index++) {
      group.synced(node, index, raft.termAt(index) as number);
    }
  }

  /** A host tells its replica of events, if only that there are none, whenever the core has something to do. */
  #watchLeading(node: string, replica: Replica): void {
    const { raft, identity } = replica;
    const group = this.group(identity.group);
    const termAt = (index: number) => raft.termAt(index);
    let commit = raft.commitIndex;
    const onRaftEvents = replica.onRaftEvents.bind(replica);
    replica.onRaftEvents = (events) => {
      // Its term may be over when the host hears of it: a process that was paused learns of much in one turn.
      const elected = events.find(
        (event) => event.kind === 'role-changed' && event.role === 'leader',
      );
      this.#guard(() => {
        if (elected !== undefined) group.elected(node, elected.term, raft.logStart.index, termAt);
        else if (raft.role === 'leader' && raft.commitIndex > commit)
          group.leaderCommitted(node, raft.term, raft.commitIndex, termAt(raft.commitIndex));
      });
      commit = raft.commitIndex;
      onRaftEvents(events);
    };
  }

  /** What an entry comes to is what the engine is told while it is applied. */
  #watchApplying(node: string, replica: Replica, { engine }: ActiveNode): void {
    const { raft, identity } = replica;
    const apply = replica.apply.bind(replica);
    replica.apply = (entry) => {
      let effect = 0;
      const put = engine.put;
      engine.put = (key, keyStart, keyEnd, value, valueStart, valueEnd) => {
        effect = crc32c(key, keyStart, keyEnd, effect);
        effect = crc32c(value, valueStart, valueEnd, effect);
        put.call(engine, key, keyStart, keyEnd, value, valueStart, valueEnd);
      };
      const complaint = apply(entry);
      engine.put = put;
      if (replica.halted !== undefined) return complaint;
      const { voters, outgoing } = replica.members;
      const sizes = [voters, outgoing].map(({ length }) => length).filter((length) => length > 0);
      const quorum = Math.floor(Math.min(...sizes) / 2) + 1;
      const applied = { term: raft.term, effect, quorum };
      this.#guard(() => this.group(identity.group).applied(node, seen(entry), applied));
      return complaint;
    };
  }

  /** A replica that was added while its node runs is noticed when it puts something into the log. */
  #watchLog(node: string, active: ActiveNode): void {
    const { log, host } = active;
    const durable = new DurableLog(node, active);
    this.#logs.set(node, durable);
    let staged: { readonly group: GroupSafety; readonly index: number; readonly term: number }[] =
      [];
    const stage = log.stage.bind(log);
    log.stage = (groupId, hardState, entries) => {
      stage(groupId, hardState, entries);
      durable.appended(groupId, hardState, entries);
      const replica = replicaOf(host.replicas(), groupId);
      if (replica !== undefined && !this.#watched.has(replica)) this.#watch(node, replica, active);
      const group = this.group(groupId);
      for (const entry of entries) {
        const { index, term } = entry;
        staged.push({ group, index, term });
        this.#guard(() => group.appended(node, seen(entry), replica?.raft.termAt(index - 1)));
      }
    };
    const addGroup = log.addGroup.bind(log);
    log.addGroup = (state) => {
      addGroup(state);
      durable.added(state);
      const group = this.group(state.group);
      staged = staged.filter((entry) => entry.group !== group);
      group.beginsAfter(node, state.logStart.index);
    };
    const commitRound = log.commitRound.bind(log);
    log.commitRound = async () => {
      const round = staged;
      staged = [];
      const synced = durable.round();
      await commitRound();
      synced();
      for (const { group, index, term } of round) group.synced(node, index, term);
    };
  }
}

function replicaOf(replicas: Iterable<Replica>, group: number): Replica | undefined {
  for (const replica of replicas) if (replica.identity.group === group) return replica;
  return undefined;
}

function seen({ index, term, kind, data }: Entry | LogEntry): SeenEntry {
  return { index, term, digest: crc32c(data, 0, data.length, kind) };
}
