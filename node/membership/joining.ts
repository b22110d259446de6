import { NodeError, type NodeErrorCode } from '../errors.ts';
import { nodeRowFromProto } from '../settings/settings-codec.ts';
import type { RpcHub } from '../transport/rpc.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { decodeGenesis, type Genesis } from './genesis.ts';
import type { Greeting, Self } from './greeting.ts';

/** Which cluster a node is to join, and how. */
export interface JoinTarget {
  /** Of members, `host:port`; any will do. */
  readonly addresses: readonly string[];
  /** If it is known which cluster it must be. */
  readonly clusterId?: string | undefined;
  /** The name of a node whose place it takes. */
  readonly replace?: string | undefined;
  /** The id that this node had until its directory could not be trusted any more. */
  readonly replaceNode?: string | undefined;
}

export interface JoiningOptions {
  readonly target: JoinTarget;
  readonly self: Self & { readonly httpAddress: () => string };
  readonly rpc: RpcHub;
  readonly greeting: Greeting;
  readonly record: ClusterRecord;
}

/** The member has the node table changed, which may take it 10 s. */
const CALL_DEADLINE_MS = 12_000;

/** The side of a node that asks to be let into a cluster. */
export class Joining {
  readonly #options: JoiningOptions;

  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Asks at one address. Gives the cluster's genesis, the node table being durable here; undefined if there is no
   * answer, or no cluster yet: it may be asked again. @throws {NodeError} why it cannot join
   */
  async ask(address: string): Promise<Genesis | undefined> {
    const { greeting, target, rpc, record } = this.#options;
    const greeted = await greeting.ask(address);
    if (greeted === undefined || greeted.clusterId === '') return undefined;
    this.#checkCluster(greeted.clusterId, address);
    const { replace = '', replaceNode = '' } = target;
    const joinRequest = { row: this.#row(), replace, replaceNode };
    const answer = await rpc.call(address, 'consensus', { joinRequest }, CALL_DEADLINE_MS);
    const { accepted, genesis, settings, refusalCode, refusal } = answer?.joinReply ?? {};
    if (refusalCode)
      throw new NodeError(refusalCode as NodeErrorCode, `${address} says: ${refusal}`);
    if (accepted !== true || genesis == null || settings == null) return undefined;
    record.learn(settings.revision ?? 0, (settings.nodes ?? []).map(nodeRowFromProto));
    await record.persist();
    return decodeGenesis(genesis);
  }

  #row() {
    const { httpAddress, ...self } = this.#options.self;
    return { ...self, httpAddress: httpAddress() };
  }

  #checkCluster(clusterId: string, address: string): void {
    const wanted = this.#options.target.clusterId;
    if (wanted === undefined || wanted === clusterId) return;
    throw new NodeError(
      'WRONG_CLUSTER',
      `the node at ${address} belongs to cluster ${clusterId}, but this node is to join cluster ${wanted}: is the token of the right one?`,
    );
  }
}
