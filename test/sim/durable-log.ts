import { Log } from '../../lsm/log/log.ts';
import type { GroupState, HardState, LogEntry, RecoveredGroup } from '../../lsm/log/types.ts';
import type { CrashableMemVfs } from '../../lsm/vfs/mem.ts';
import type { ActiveNode } from '../../node/active-node.ts';
import { Violation } from './checkers/violation.ts';

/** What a node has said in the name of one of its replicas, once the round that holds it is synced. */
interface Said {
  readonly replicaId: number;
  readonly term: number;
  readonly vote: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** Where a start finds nothing: the bytes of a log id. */
const LOG_ID = new Uint8Array(8);

/**
 * Whether a node's log holds what it has synced: votes, terms and entries. Nothing of the log's own word is taken for
 * it; when a node ends, what a power cut leaves of its disk is opened, and compared.
 */
export class DurableLog {
  readonly #node: string;
  readonly #synced = new Map<number, Said>();
  /** With what is on its way to the disk. */
  readonly #staged = new Map<number, Said>();

  /** To be called before anything reaches the node's replicas. */
  constructor(node: string, { log, host }: ActiveNode) {
    this.#node = node;
    for (const { identity, raft } of host.replicas()) {
      const { group, replicaId } = identity;
      const { term, vote } = raft.status();
      const { lastIndex } = raft;
      const lastTerm = raft.termAt(lastIndex) as number;
      this.#staged.set(group, { replicaId, term, vote, lastIndex, lastTerm });
    }
    if (!log.hasStaged) this.#sync(new Map(this.#staged));
  }

  added({
    group,
    replicaId,
    hardState: { term, vote },
    logStart: { index, term: lastTerm },
  }: GroupState) {
    this.#staged.set(group, { replicaId, term, vote, lastIndex: index, lastTerm });
  }

  appended(group: number, hardState: HardState | undefined, entries: readonly LogEntry[]): void {
    const before = this.#staged.get(group);
    // One that is not trusted: it says nothing.
    if (before === undefined) return;
    const { term, vote } = hardState ?? before;
    const last = entries.at(-1);
    const { lastIndex, lastTerm } = before;
    const end =
      last === undefined ? { lastIndex, lastTerm } : { lastIndex: last.index, lastTerm: last.term };
    this.#staged.set(group, { ...before, term, vote, ...end });
  }

  /** A round begins; what this returns is called when it is synced. */
  round(): () => void {
    const held = new Map(this.#staged);
    return () => this.#sync(held);
  }

  /** @throws {Violation} if a power cut now would take what was synced */
  async check(vfs: CrashableMemVfs, directory: string): Promise<void> {
    const expected = new Map(
      [...this.#synced].filter(([group, said]) => this.#staged.get(group) === said),
    );
    const left = vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    const { log, groups } = await Log.open({ vfs: left, directory, newLogId: () => LOG_ID });
    await log.close();
    const found = new Map(groups.map((each) => [each.group, each]));
    for (const [group, said] of expected) {
      const lost = lossOf(said, found.get(group));
      if (lost === undefined) continue;
      throw new Violation(
        'durable before committed',
        `group ${group}: ${this.#node} has synced ${lost}`,
      );
    }
  }

  #sync(held: ReadonlyMap<number, Said>): void {
    for (const [group, said] of held) this.#synced.set(group, said);
  }
}

function lossOf(said: Said, found: RecoveredGroup | undefined): string | undefined {
  const { replicaId, term, vote, lastIndex, lastTerm } = said;
  const name = `replica ${replicaId}, whose log ends with ${lastTerm}/${lastIndex}`;
  if (found === undefined) return `${name}, and a power cut takes it`;
  const { hardState } = found;
  const isSameVote = vote === 0 || hardState.vote === vote;
  const hasVote = hardState.term > term || (hardState.term === term && isSameVote);
  if (found.replicaId !== replicaId)
    return `${name}, and a power cut leaves replica ${found.replicaId}`;
  if (!hasVote)
    return `the vote for ${vote} in term ${term}, and a power cut leaves that for ${hardState.vote} in ${hardState.term}`;
  const run = found.terms.findLast(({ firstIndex }) => firstIndex <= lastIndex);
  const kept =
    found.lastIndex < lastIndex
      ? undefined
      : lastIndex <= found.logStart.index
        ? lastTerm
        : run?.term;
  return kept === lastTerm ? undefined : `${name}, and a power cut leaves ${found.lastIndex}`;
}
