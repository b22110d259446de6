import { cluster, decode, encode, ProtocolError } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Channel } from './transport.ts';

/** What travels in an `Rpc`, without its correlation id. */
export type RpcBody = Omit<cluster.Rpc.$Properties, 'id' | 'body'>;
export type RpcMessage = cluster.Rpc;

/** Asks a node, over a channel that whoever hands this on has chosen. Undefined: no answer came in time. */
export type Call = (
  node: string,
  body: RpcBody,
  timeoutMs: number,
) => Promise<RpcMessage | undefined>;

export interface RpcSender {
  /** False if it could not be sent. `payload` is an `RpcEnvelope`. */
  send(node: string, channel: Channel, payload: Uint8Array): boolean;
  /** Goes into every envelope. */
  readonly identity: () => RpcOrigin & { readonly syncedRound: number };
}

/** Whose message it is: a node, in one run of its process. */
export interface RpcOrigin {
  readonly node: string;
  readonly startCounter: number;
}

/** Answers, or takes note of, one message. `reply` sends back under the same id. */
export type RpcHandler = (
  from: RpcOrigin,
  message: RpcMessage,
  reply: (body: RpcBody) => void,
) => void;

const ENVELOPE_BYTES_MAX = 1024 * 1024;
/** What settings may have; few calls carry them. */
const SETTINGS_BYTES_MAX = 256 * 1024;
/**
 * Ids carry the start counter above 32 bits that count, so that an answer to an earlier run of this process
 * never passes for one to this run: a batch of the same number would be taken for committed.
 */
const CALLS_PER_RUN = 0x1_0000_0000;
/** 52 bits in all. */
const RUNS_MAX = 0x10_0000;

interface Pending {
  readonly node: string;
  readonly message: cluster.Rpc.$Properties;
  readonly resolve: (message: RpcMessage | undefined) => void;
  readonly cancelTimer: () => void;
}

/**
 * Calls between nodes, over a transport that may lose anything: every call has a deadline. Messages to one
 * node and channel that are made in one turn leave together.
 */
export class RpcHub {
  readonly #env: Env;
  readonly #sender: RpcSender;
  readonly #pending = new Map<number, Pending>();
  readonly #queues = new Map<
    string,
    { node: string; channel: Channel; calls: cluster.Rpc.$Properties[] }
  >();
  readonly #firstId: number;
  #nextId: number;
  #flushScheduled = false;

  constructor(env: Env, sender: RpcSender) {
    this.#env = env;
    this.#sender = sender;
    this.#firstId = (sender.identity().startCounter % RUNS_MAX) * CALLS_PER_RUN + 1;
    this.#nextId = this.#firstId;
  }

  /**
   * Resolves with the reply, or with `undefined`: at the deadline, when the node's connection closes, or at
   * once when there is none to send it on.
   */
  call(
    node: string,
    channel: Channel,
    body: RpcBody,
    deadlineMs: number,
  ): Promise<RpcMessage | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const cancelTimer = this.#env.timers.after(deadlineMs, () => this.#settle(id, undefined));
      const message = { id, ...body };
      this.#pending.set(id, { node, message, resolve, cancelTimer });
      this.#enqueue(node, channel, message);
    });
  }

  /** A number for a conversation of more than one message, such as a watch. */
  newId(): number {
    return this.#nextId++;
  }

  /** `body` is its caller's no more: of a copy with an id V8 makes a dictionary, ten times as large. */
  post(node: string, channel: Channel, id: number, body: RpcBody): void {
    const message: cluster.Rpc.$Properties = body;
    message.id = id;
    this.#enqueue(node, channel, message);
  }

  #enqueue(node: string, channel: Channel, message: cluster.Rpc.$Properties): void {
    const key = `${channel} ${node}`;
    const queue = this.#queues.get(key) ?? { node, channel, calls: [] };
    queue.calls.push(message);
    this.#queues.set(key, queue);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#env.yield(() => {
      const outer = this.#env.stages?.enter('route');
      this.#flush();
      this.#env.stages?.leave(outer);
    });
  }

  /**
   * Takes an envelope apart. Replies to our calls are settled, all else goes to the handler; answers to an
   * earlier run of this process are dropped.
   */
  receive(peer: string, payload: Uint8Array, handler: RpcHandler): cluster.RpcEnvelope {
    const envelope = decode(cluster.RpcEnvelope, payload);
    if (envelope.fromNode !== peer) {
      throw new ProtocolError(`an envelope of ${envelope.fromNode} came from ${peer}`);
    }
    const from = { node: peer, startCounter: envelope.startCounter };
    for (const message of envelope.calls as RpcMessage[]) {
      if (isReply(message)) this.#settle(message.id, message);
      else if (message.forwardReply != null && !this.#isOfThisRun(message.id)) continue;
      else handler(from, message, (body) => this.post(peer, 'consensus', message.id, body));
    }
    return envelope;
  }

  nodeUnreachable(node: string): void {
    for (const [id, pending] of this.#pending) {
      if (pending.node === node) this.#settle(id, undefined);
    }
  }

  close(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, undefined);
    this.#queues.clear();
  }

  #isOfThisRun(id: number): boolean {
    return id >= this.#firstId && id < this.#nextId;
  }

  #settle(id: number, message: RpcMessage | undefined): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.cancelTimer();
    pending.resolve(message);
  }

  /** Nobody will answer. Ids are only unique among our own calls, so it is the message that counts. */
  #notSent(messages: readonly cluster.Rpc.$Properties[]): void {
    for (const message of messages) {
      const id = message.id as number;
      if (this.#pending.get(id)?.message === message) this.#settle(id, undefined);
    }
  }

  #flush(): void {
    this.#flushScheduled = false;
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    const { node: fromNode, startCounter, syncedRound } = this.#sender.identity();
    for (const { node, channel, calls } of queues) {
      for (const part of splitByBytes(calls)) {
        const envelope = { format: 1, fromNode, startCounter, syncedRound, calls: part };
        if (!this.#sender.send(node, channel, encode(cluster.RpcEnvelope, envelope))) {
          this.#notSent(part);
        }
      }
    }
  }
}

function isReply(message: RpcMessage): boolean {
  const { readReply, helloReply, genesisReply, settingsReply } = message;
  const { joinReply, configurationReply, snapshotReply } = message;
  const { balanceReply, checksumReport, verifyReply, spareReply } = message;
  const { takeOverReply, sessionHintReply } = message;
  const reply = readReply ?? helloReply ?? genesisReply ?? settingsReply;
  const change = joinReply ?? configurationReply ?? snapshotReply ?? balanceReply;
  const session = takeOverReply ?? sessionHintReply;
  const repair = checksumReport ?? verifyReply ?? spareReply;
  return (reply ?? change ?? repair ?? session) != null;
}

/** Envelopes of about 1 MiB, or one call. */
function* splitByBytes(
  calls: readonly cluster.Rpc.$Properties[],
): Generator<cluster.Rpc.$Properties[]> {
  let part: cluster.Rpc.$Properties[] = [];
  let partBytes = 0;
  for (const call of calls) {
    const bytes = estimateBytes(call);
    if (part.length > 0 && partBytes + bytes > ENVELOPE_BYTES_MAX) {
      yield part;
      part = [];
      partBytes = 0;
    }
    part.push(call);
    partBytes += bytes;
  }
  if (part.length > 0) yield part;
}

function estimateBytes(call: cluster.Rpc.$Properties): number {
  const items = call.readReply?.items ?? call.watchEvents?.items ?? [];
  const itemBytes = items.reduce(
    (sum, item) => sum + (item.key?.length ?? 0) + (item.value?.length ?? 0) + 32,
    0,
  );
  const settings = call.settingsReply?.settings ?? call.settingsRequest?.change?.settings;
  const settingsBytes = settings == null ? 0 : SETTINGS_BYTES_MAX;
  const blocks = call.snapshotBlocks?.blocks ?? [];
  const blockBytes = blocks.reduce((sum, block) => sum + block.length, 0);
  return 64 + itemBytes + settingsBytes + blockBytes + (call.forwardRequest?.batch?.length ?? 0);
}
