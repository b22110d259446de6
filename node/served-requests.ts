import type { cluster } from '../protos/index.ts';
import type { ActiveNode } from './active-node.ts';
import type { Reads } from './dataplane/reads.ts';
import type { RpcBody, RpcMessage, RpcOrigin } from './transport/rpc.ts';

type Reply = (body: RpcBody) => void;

/** What the parts of a node answer when another node asks. */
type Parts = Pick<
  ActiveNode,
  'messages' | 'dataPlane' | 'settings' | 'groups' | 'balance' | 'watches' | 'repairs'
> & { readonly reads: Reads };

/** Takes each request of another node, or its answer to one of ours, to the part that it is for. */
export class ServedRequests {
  readonly #parts: Parts;
  readonly #onFailed: (error: unknown) => void;

  constructor(parts: Parts, onFailed: (error: unknown) => void) {
    this.#parts = parts;
    this.#onFailed = onFailed;
  }

  serve(from: RpcOrigin, message: RpcMessage, reply: Reply): void {
    const { messages, dataPlane, reads, settings, groups, balance, repairs } = this.#parts;
    if (messages.serve(from, message, reply) || this.#serveWatch(from, message)) return;
    if (message.forwardRequest != null) {
      dataPlane.serveForward(from, message.forwardRequest, reply);
    } else if (message.forwardReply != null) {
      dataPlane.forwardAnswered(from.node, message.forwardReply);
    } else if (message.readRequest != null) {
      reads.serve(message.readRequest).then(reply, this.#onFailed);
    } else if (message.settingsRequest != null) {
      settings
        .serve(message.settingsRequest)
        .then((settingsReply) => reply({ settingsReply }), this.#onFailed);
    } else if (message.configurationRequest != null) {
      const request = message.configurationRequest as cluster.ConfigurationRequest;
      reply({ configurationReply: groups.change(request) });
    } else if (message.balanceRequest != null) {
      reply({ balanceReply: balance.serve() });
    } else if (message.snapshotBegin != null) {
      const begin = message.snapshotBegin as cluster.SnapshotBegin;
      this.#answerSnapshot(groups.beginSnapshot(begin), reply);
    } else if (message.snapshotBlocks != null) {
      const blocks = message.snapshotBlocks as cluster.SnapshotBlocks;
      this.#answerSnapshot(groups.takeBlocks(blocks), reply);
    } else {
      repairs.serve(message, reply);
    }
  }

  /** Returns false when it is about no watch. */
  #serveWatch({ node }: RpcOrigin, message: RpcMessage): boolean {
    const { watches } = this.#parts;
    const { id, watchOpen, watchEvents, watchCredit, watchClose } = message;
    if (watchOpen != null) watches.serve(node, id, watchOpen).catch(this.#onFailed);
    else if (watchEvents != null) watches.eventsArrived(node, id, watchEvents);
    else if (watchCredit != null) watches.credited(node, id, watchCredit.bytes ?? 0);
    else if (watchClose != null) watches.closedBy(node, id, watchClose);
    else return false;
    return true;
  }

  #answerSnapshot(taking: Promise<cluster.SnapshotReply.$Properties>, reply: Reply): void {
    taking.then((snapshotReply) => reply({ snapshotReply }), this.#onFailed);
  }
}
