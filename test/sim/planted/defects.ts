import type { Property } from '../checkers/violation.ts';
import type { MixName } from '../faults/mixes.ts';
import type { Edit } from './plant.ts';

/** A mistake that somebody could make, and what must notice it. */
export interface Defect {
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly mix: MixName;
  /** Where it takes many: the seeds before are known not to show it. */
  readonly firstSeed?: number;
  /** Within so many seeds. */
  readonly seedsMax: number;
  /** What may be the first to be violated. */
  readonly caughtAs: readonly Property[];
}

const edit = (file: string, snippet: string, replacement: string): Edit => ({
  file,
  snippet,
  replacement,
});

const LOSS: readonly Property[] = [
  'durable before committed',
  'leader completeness',
  'state machine safety',
  'nothing acknowledged is lost',
  'linearizability',
  'log matching',
];

export const DEFECTS: readonly Defect[] = [
  {
    name: 'skip an fsync',
    edits: [
      edit('lsm/log/segment-files.ts', "'create-durable'", "'create'"),
      edit('lsm/log/segment-files.ts', "'write-durable'", "'write'"),
    ],
    mix: 'crashes',
    seedsMax: 10,
    caughtAs: LOSS,
  },
  {
    name: 'count the leader before its sync',
    edits: [
      edit(
        'node/raft/replication.ts',
        '  announceNews(state);\n}\n\n/** There are entries to send. */',
        '  announceNews(state);\n  const own = state.progress.get(state.id);\n  if (own !== undefined) own.match = log.lastIndex;\n}\n',
      ),
      edit('node/raft/raft.ts', 'own.match = state.log.stable;', ''),
    ],
    mix: 'crashes',
    seedsMax: 10,
    caughtAs: LOSS,
  },
  {
    name: 'apply beyond the local sync',
    edits: [
      edit(
        'node/raft/raft-log.ts',
        'return Math.min(this.#commit, this.#stable);',
        'return this.#commit;',
      ),
    ],
    mix: 'crashes',
    seedsMax: 10,
    caughtAs: LOSS,
  },
  {
    name: 'apply the uncommitted tail on restart',
    edits: [
      edit(
        'node/raft/state.ts',
        'commit: options.hardState.commit',
        'commit: Math.max(options.hardState.commit, options.lastIndex)',
      ),
    ],
    mix: 'crashes',
    seedsMax: 20,
    caughtAs: LOSS,
  },
  {
    name: 'forget the vote',
    edits: [
      edit(
        'node/shard/replica-builder.ts',
        'hardState: found.hardState,',
        'hardState: { ...found.hardState, vote: 0 },',
      ),
    ],
    mix: 'elections',
    seedsMax: 200,
    caughtAs: ['one leader per term', 'no node fails by itself'],
  },
  {
    name: 'delete the segment with the only vote',
    edits: [
      edit(
        'lsm/log/log.ts',
        'const groups = isOpening\n        ? [...this.#groups.values()]\n        :',
        'const groups =',
      ),
    ],
    mix: 'crashes',
    seedsMax: 20,
    caughtAs: ['durable before committed'],
  },
  {
    name: 'commit the entry of an old term by counting',
    edits: [
      edit(
        'node/raft/commit.ts',
        'if (index < state.termFirstIndex || index <= log.commit) return;',
        'if (index <= log.commit) return;',
      ),
    ],
    mix: 'crashes',
    seedsMax: 20,
    caughtAs: ['commit by counting', 'leader completeness', 'state machine safety'],
  },
  {
    name: 'serve reads without ReadIndex',
    edits: [
      edit(
        'node/dataplane/reads.ts',
        'if (!eventual && !(await confirmRead(this.#host, replica)))',
        'if (!eventual && replica === undefined)',
      ),
    ],
    mix: 'networks',
    seedsMax: 10,
    // The last look at the history is such a read, too.
    caughtAs: ['linearizability', 'nothing acknowledged is lost'],
  },
  {
    name: 'ignore a CRC',
    edits: [
      edit(
        'lsm/sstable/sealed-block.ts',
        'const got = crc32c(sealed, 0, length + 1);',
        'const got = expected;',
      ),
    ],
    mix: 'damage',
    seedsMax: 60,
    caughtAs: [...LOSS, 'one value per version', 'watches go forward', 'no node fails by itself'],
  },
  {
    name: 'take up the old identity on an empty disk',
    edits: [
      edit(
        'node/membership/identity.ts',
        'node: randomId(random), startCounter: 0',
        "node: Buffer.from(name.padEnd(8)).toString('hex'), startCounter: 0",
      ),
      edit('node/storage-node.ts', 'remembered === undefined ||', 'true ||'),
    ],
    mix: 'damage',
    seedsMax: 60,
    caughtAs: [...LOSS, 'one leader per term', 'no node fails by itself'],
  },
  {
    name: 'apply a resent forward twice',
    edits: [
      edit('node/shard/proposal-queue.ts', "  if (verdict.kind === 'seen') return 'seen';\n", ''),
      edit(
        'node/shard/proposal-queue.ts',
        '        log.streams.advance(',
        "        if (log.streams.judge(node, startCounter, number).kind === 'next') log.streams.advance(",
      ),
      edit(
        'node/shard/state-machine.ts',
        "if (this.streams.judge(node, startCounter, number).kind !== 'next') {",
        "const { kind } = this.streams.judge(node, startCounter, number);\n      if (kind === 'ended') {",
      ),
      edit(
        'node/shard/state-machine.ts',
        '      this.streams.advance(',
        "      if (kind === 'next') this.streams.advance(",
      ),
    ],
    mix: 'networks',
    seedsMax: 20,
    caughtAs: ['linearizability', 'watches go forward', 'state machine safety'],
  },
  {
    name: 'decide cas by the local clock',
    edits: [
      edit(
        'node/shard/replica.ts',
        'const outcome = this.state.apply(entry, this.feed);',
        'globalThis.localVersion = (this.#nowMs() - Date.UTC(2020, 0, 1)) * 4096;\n    const outcome = this.state.apply(entry, this.feed);',
      ),
      edit(
        'node/shard/apply-writes.ts',
        'const live = liveVersion(current, version);',
        'const live = liveVersion(current, globalThis.localVersion);',
      ),
    ],
    mix: 'clocks',
    seedsMax: 20,
    caughtAs: ['state machine safety'],
  },
  {
    name: 'open a watch again without a snapshot',
    edits: [
      edit(
        'node/shard/watch-feed.ts',
        'await scanMatching(watch.filter, at, visit);',
        'if (watch.after <= 1) await scanMatching(watch.filter, at, visit);',
      ),
    ],
    mix: 'wide',
    seedsMax: 40,
    caughtAs: ['watches go forward'],
  },
  {
    name: 'count a round that was only in the page cache',
    edits: [
      edit(
        'lsm/log/log.ts',
        'if (firstUndeclaredIndex !== undefined) await',
        'if (firstUndeclaredIndex === 0) await',
      ),
    ],
    mix: 'page cache',
    seedsMax: 60,
    caughtAs: [...LOSS, 'liveness'],
  },
  {
    name: 'drop the joint phase',
    edits: [
      edit(
        'node/shard/configuration-change.ts',
        'const members = { ...now, voters, outgoing: now.voters, nextReplicaId };',
        'const members = { ...now, voters, outgoing: [], nextReplicaId };',
      ),
      edit(
        'node/shard/configuration-change.ts',
        'outgoing: now.voters,\n    learners:',
        'outgoing: [],\n    learners:',
      ),
      edit(
        'node/raft/configuration-change.ts',
        'return isOfLearners ? undefined :',
        'return isOfLearners || next.voters.length > 0 ? undefined :',
      ),
    ],
    mix: 'moves',
    firstSeed: 70,
    seedsMax: 150,
    caughtAs: [...LOSS, 'one leader per term', 'no node fails by itself'],
  },
  {
    name: 'install a snapshot without its index',
    edits: [
      edit(
        'node/shard/snapshot-receiver.ts',
        'return withPosition(flushed, group, installed);',
        'return withPosition(flushed, group, { ...installed, appliedIndex: 0 });',
      ),
    ],
    mix: 'moves',
    firstSeed: 30,
    seedsMax: 100,
    caughtAs: [...LOSS, 'no node fails by itself', 'liveness'],
  },
  {
    name: 'accept an old replica id',
    edits: [
      edit(
        'node/shard/local-groups.ts',
        'return replicaId > Math.max(here, suspect, this.#removed.get(group)?.replicaId ?? 0);',
        'return replicaId >= Math.max(here, suspect, this.#removed.get(group)?.replicaId ?? 0);',
      ),
    ],
    mix: 'damage',
    seedsMax: 60,
    caughtAs: [...LOSS, 'one leader per term', 'no node fails by itself'],
  },
];
