import type { cluster } from '../../protos/index.ts';
import type { Call } from '../transport/rpc.ts';
import {
  type ReportedVerification,
  reportedOf,
  verificationFromWire,
  verificationToWire,
} from './verification-codec.ts';
import type { Verifier } from './verifier.ts';

const CALL_DEADLINE_MS = 2_000;

export interface ClusterVerificationOptions {
  readonly verifier: Verifier;
  /** All groups that this node leads. */
  readonly led: () => readonly number[];
  readonly others: () => readonly string[];
  readonly call: Call;
}

/** The comparison of replicas, asked of all nodes at any of them: each compares the groups that it leads. */
export class ClusterVerification {
  readonly #options: ClusterVerificationOptions;

  constructor(options: ClusterVerificationOptions) {
    this.#options = options;
  }

  /** Begins to compare some groups, or all. Resolves with those that have begun, which need not be all. */
  start(groups: readonly number[] = []): Promise<ReportedVerification[]> {
    return this.#everywhere({ groups: [...groups], start: true });
  }

  /** The last comparison of every group, as far as nodes that can be reached remember it. */
  report(): Promise<ReportedVerification[]> {
    return this.#everywhere({ groups: [], start: false });
  }

  /** The other side. */
  serve(request: cluster.VerifyRequest.$Properties): cluster.VerifyReply.$Properties {
    return { groups: this.#here(request).map(verificationToWire) };
  }

  async #everywhere(
    verifyRequest: cluster.VerifyRequest.$Properties,
  ): Promise<ReportedVerification[]> {
    const { others, call } = this.#options;
    const replies = await Promise.all(
      others().map(async (node) => {
        const reply = (await call(node, { verifyRequest }, CALL_DEADLINE_MS))?.verifyReply;
        return (reply?.groups ?? []).map(verificationFromWire);
      }),
    );
    const newest = new Map<number, ReportedVerification>();
    for (const each of [...this.#here(verifyRequest), ...replies.flat()]) {
      if (each.startedAtMs >= (newest.get(each.group)?.startedAtMs ?? 0)) {
        newest.set(each.group, each);
      }
    }
    return [...newest.values()].sort((a, b) => a.group - b.group);
  }

  #here({ groups = [], start }: cluster.VerifyRequest.$Properties): ReportedVerification[] {
    const { verifier, led } = this.#options;
    if (start !== true) return verifier.list().map(reportedOf);
    const wanted = groups.length > 0 ? groups : led();
    const begun = new Set(wanted.filter((group) => verifier.request(group)));
    return verifier
      .list()
      .filter(({ group }) => begun.has(group))
      .map(reportedOf);
  }
}
