import assert from 'node:assert/strict';
import {
  applySettingsRecord,
  type MetaLog,
  type ProposalOutcome,
} from '../../../node/settings/meta-log.ts';
import { EMPTY_SETTINGS, type Settings } from '../../../node/settings/settings.ts';
import { SettingsService } from '../../../node/settings/settings-service.ts';
import type { RpcBody, RpcMessage } from '../../../node/transport/rpc.ts';
import { cluster, decode, encode, type kv } from '../../../protos/index.ts';
import { FakeEnv, settled } from '../fake-env.ts';

/**
 * Nodes with settings services, some with a replica of a meta group that is one object: what its leader
 * proposes is applied at once, everywhere. Calls go through the bytes of real messages.
 */
export class FakeMetaGroup {
  readonly world = new FakeEnv();
  readonly services = new Map<string, SettingsService>();
  readonly calls: string[] = [];
  committed: Settings = EMPTY_SETTINGS;
  leader: string | undefined;
  /** Where it differs from the truth: whom a node takes for the leader. */
  readonly beliefs = new Map<string, string>();
  readonly unreachable = new Set<string>();
  /** Proposals that are applied, but whose outcome the proposer does not learn. */
  outcomesToLose = 0;
  /** Proposals that are lost before they are decided. */
  proposalsToDrop = 0;
  /** Whether replicas know what the group has decided so far. */
  hasCaughtUp = true;
  /** Called before a proposal is decided: the place for somebody else's change. */
  beforeDecision: (() => void) | undefined;
  proposalCount = 0;
  readonly #metaNodes: readonly string[];

  constructor(options: { readonly meta: readonly string[]; readonly others?: readonly string[] }) {
    this.#metaNodes = options.meta;
    this.leader = options.meta[0];
    for (const node of [...options.meta, ...(options.others ?? [])]) this.addNode(node);
  }

  /** A node that has just started. */
  addNode(node: string): SettingsService {
    const service = new SettingsService({
      own: node,
      env: this.world.env,
      meta: this.#metaLogOf(node),
      metaNodes: () => this.#metaNodes,
      call: (to, body, timeoutMs) => this.#call(to, body, timeoutMs),
    });
    this.services.set(node, service);
    return service;
  }

  service(node: string): SettingsService {
    const service = this.services.get(node);
    assert(service !== undefined);
    return service;
  }

  /** As if an administrator elsewhere had changed them. */
  commit(change: (settings: Settings) => Settings): void {
    this.#apply({ ...change(this.committed), revision: this.committed.revision + 1 });
  }

  /** Lets time pass until a promise is kept. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isKept = false;
    const mark = () => {
      isKept = true;
    };
    promise.then(mark, mark);
    for (let passedMs = 0; passedMs < 60_000; passedMs += 100) {
      this.world.turn();
      await settled();
      if (isKept) return promise;
      this.world.pass(100);
    }
    throw new Error('not within a minute');
  }

  #metaLogOf(node: string): MetaLog {
    const hasReplica = this.#metaNodes.includes(node);
    const settings = () => (hasReplica && this.hasCaughtUp ? this.committed : undefined);
    return {
      get settings() {
        return settings();
      },
      propose: (record) => this.#propose(node, record),
    };
  }

  async #propose(node: string, record: kv.SettingsRecord.$Properties): Promise<ProposalOutcome> {
    assert(this.#metaNodes.includes(node), 'only replicas propose');
    if (node !== this.leader) {
      return { kind: 'not-leader', leader: this.beliefs.get(node) ?? this.leader };
    }
    this.proposalCount += 1;
    if (this.proposalsToDrop-- > 0) return { kind: 'failed' };
    this.beforeDecision?.();
    const decision = applySettingsRecord(this.committed, record);
    if (decision.kind === 'applied') this.#apply(decision.settings);
    return this.outcomesToLose-- > 0 ? { kind: 'failed' } : decision;
  }

  #apply(settings: Settings): void {
    this.committed = settings;
    for (const node of this.#metaNodes) this.services.get(node)?.applied(settings);
  }

  async #call(to: string, body: RpcBody, timeoutMs: number): Promise<RpcMessage | undefined> {
    this.calls.push(to);
    if (this.unreachable.has(to)) {
      await new Promise<void>((resolve) => this.world.env.timers.after(timeoutMs, resolve));
      return undefined;
    }
    const { settingsRequest } = sent(body);
    assert(settingsRequest != null);
    return sent({ settingsReply: await this.service(to).serve(settingsRequest) });
  }
}

function sent(body: RpcBody): RpcMessage {
  return decode(cluster.Rpc, encode(cluster.Rpc, { id: 1, ...body } as cluster.Rpc.$Properties));
}
