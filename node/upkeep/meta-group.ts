import { encode, kv } from '../../protos/index.ts';
import { EntryKind } from '../raft/types.ts';
import { metaGroup } from '../ring/slots.ts';
import type { MetaLog, ProposalOutcome } from '../settings/meta-log.ts';
import type { Settings } from '../settings/settings.ts';
import type { ShardHost } from '../shard/host.ts';
import type { Replica } from '../shard/replica.ts';

/** This node's replica of the meta group, if it has one, as the settings see it. */
export class MetaGroup implements MetaLog {
  readonly #host: ShardHost;
  #caughtUp: Replica | undefined;

  constructor(host: ShardHost) {
    this.#host = host;
  }

  /** Not before it has caught up: what a restart or a snapshot brings may be older than what it once knew. */
  get settings(): Settings | undefined {
    const replica = this.#host.replica(metaGroup);
    if (replica === undefined) return undefined;
    const { raft, state } = replica;
    const followsLeader = replica.leaderNode !== undefined;
    if (followsLeader && raft.termAt(state.appliedIndex) === raft.term) this.#caughtUp = replica;
    return this.#caughtUp === replica ? state.settings : undefined;
  }

  async propose(record: kv.SettingsRecord.$Properties): Promise<ProposalOutcome> {
    const replica = this.#host.replica(metaGroup);
    if (replica === undefined) return { kind: 'not-leader', leader: undefined };
    const data = encode(kv.SettingsRecord, record);
    const decided = replica.proposeRecord(EntryKind.settings, () => data);
    this.#host.touch(replica);
    switch ((await decided).kind) {
      case 'applied':
        return { kind: 'applied', settings: replica.state.settings };
      case 'ineffective':
        return { kind: 'conflict', settings: replica.state.settings };
      case 'not-leader':
        return { kind: 'not-leader', leader: replica.leaderNode };
      case 'unknown':
        return { kind: 'failed' };
    }
  }
}
