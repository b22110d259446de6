import type { Duplex } from 'node:stream';
import { type Admission, admit, logIn } from './admission.ts';
import { ClusterLink, NODE_USERNAME_PREFIX } from './cluster-link.ts';
import { type ConnectPacket, type MalformedConnect, parseConnect } from './connect-packet.ts';
import {
  type ConnectRefusal,
  SECRET_REFUSAL,
  TAKEN_REFUSAL,
  userRefusal,
  versionRefusal,
} from './connect-refusal.ts';
import { crowdRefusal, type QuotaRefusal } from './connection-quota.ts';
import type { BrokerContext } from './context.ts';
import type { WriteFailure } from './data-plane.ts';
import { dialectOf, refusedConnack } from './dialect.ts';
import { CLIENT_CLOSED, NOT_STORED, SILENT, STOPPING, TOO_LARGE } from './endings.ts';
import { ConnectReturn, encodeConnack, PacketType, PINGRESP } from './frame-encoder.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { Hold } from './hold.ts';
import { type Ending, malformed, protocolError } from './mqtt5/reason-codes.ts';
import { encodeRefusal } from './mqtt5/writer.ts';
import { NamedTimers } from './named-timers.ts';
import { Output } from './output.ts';
import { UserLink } from './user-link.ts';

/** What follows the CONNECT on a connection: a user's traffic, or a node's. */
type Link =
  | { readonly kind: 'none' }
  | { readonly kind: 'user'; readonly user: UserLink }
  | { readonly kind: 'cluster'; readonly cluster: ClusterLink };

const NO_LINK: Link = { kind: 'none' };

type TimerName = 'connect' | 'acks' | 'closing' | 'linger' | 'rate';

/**
 * One connection, from accept to close: reads the socket, splits the bytes into packets, deals with the
 * CONNECT and hands everything later to the link that it opened. It decides when to read, when to flush and
 * how to end; what packets mean is the link's affair.
 */
export class Front {
  readonly address: string;
  readonly #context: BrokerContext;
  readonly #stream: Duplex;
  readonly #output: Output;
  readonly #splitter: FrameSplitter;
  readonly #onGone: () => void;

  #link: Link = NO_LINK;
  #clientId = '';
  /** Of the CONNECT: how a refusal is to be told. */
  #hearing = { protocolLevel: 0, packetBytesMax: Number.POSITIVE_INFINITY };
  /** `ending`: the last bytes are on their way out, input is dropped. */
  #state: 'open' | 'ending' | 'gone' = 'open';
  #chunks: Uint8Array[] = [];
  #inputEnded = false;
  #holds = 0;
  #processing = false;
  #turnBytes = 0;
  #turnEndPlanned = false;
  #packetSeenMs: number;
  #keepaliveMs = 0;
  readonly #timers: NamedTimers<TimerName>;

  constructor(context: BrokerContext, stream: Duplex, address: string, onGone: () => void) {
    this.#context = context;
    this.#stream = stream;
    this.address = address;
    this.#onGone = onGone;
    this.#splitter = new FrameSplitter(context.limits.connectBytesMax);
    this.#packetSeenMs = context.env.clock.monotonicMs();
    this.#timers = new NamedTimers(context.env.timers);
    this.#output = new Output(stream, context.counters, context.batchBuffers, {
      onPending: () => this.#planTurnEnd(),
      onRoom: () => this.#roomForOutput(),
    });
    this.#timers.start('connect', context.limits.connectTimeoutMs, () =>
      this.abort(protocolError('no CONNECT was accepted in time')),
    );
    stream.on('data', (chunk: Uint8Array) => this.#received(chunk));
    stream.on('end', () => this.#ended());
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.#gone());
    if (stream.destroyed) this.#gone();
  }

  get clientId(): string {
    return this.#clientId;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  get output(): Output {
    return this.#output;
  }

  /** While we do not read we cannot see whether the client pings, unless it is the client that stalls. */
  get heardAtMs(): number | undefined {
    const isDeaf = (this.#holds & ~Hold.output) !== 0;
    return isDeaf ? undefined : this.#packetSeenMs;
  }

  silent(): void {
    this.abort(SILENT);
  }

  /** Stops reading until the same reason is released. */
  hold(reason: number): void {
    if (this.#holds === 0) this.#stream.pause();
    this.#holds |= reason;
  }

  release(reason: number): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds !== 0 || this.#state !== 'open') return;
    // It may have pinged meanwhile. After a turn, it has sent something just now.
    const wasDeaf = (reason & ~(Hold.output | Hold.turn)) !== 0;
    if (wasDeaf) this.#packetSeenMs = this.#context.env.clock.monotonicMs();
    this.#process();
    if (this.#holds === 0) this.#stream.resume();
  }

  /** Reads nothing for a while: what the client goes on sending waits on its side of the network. */
  pause(pauseMs: number): void {
    this.hold(Hold.rate);
    this.#timers.start('rate', pauseMs, () => this.release(Hold.rate));
  }

  /** Something has changed that is dealt with once per turn. */
  changed(): void {
    this.#planTurnEnd();
  }

  /** The session accepted the CONNECT: its CONNACK is written. */
  accepted(largeBytes: number, keepaliveSeconds: number): void {
    this.#timers.stop('connect');
    this.#splitter.largeBytes = largeBytes;
    // [MQTT-3.1.2-24]: one and a half times the keepalive.
    this.#keepaliveMs = keepaliveSeconds * 1_500;
    this.#packetSeenMs = this.#context.env.clock.monotonicMs();
    this.#context.keepalives.add(this, this.#keepaliveMs);
    this.release(Hold.connecting);
  }

  /** Ends at once: the client broke the protocol or is not there any more. It is told why if it can be. */
  abort(ending: Ending): void {
    if (this.#state === 'gone') return;
    this.#report(ending.reason);
    if (this.#state === 'open' && this.#link.kind === 'user' && this.#link.user.takeLeave(ending)) {
      this.#end();
      return;
    }
    this.#closeLink();
    this.#stream.destroy();
  }

  /** Ends with everything acknowledged that may be, and gives the client time to read it. */
  finish(ending: Ending): void {
    if (this.#state !== 'open') return;
    this.#report(ending.reason);
    if (this.#link.kind === 'user') {
      this.#link.user.acknowledge({ anyOrder: true });
      this.#link.user.takeLeave(ending);
    }
    this.#end();
  }

  /** What is written is still sent. */
  #end(): void {
    this.#output.flush();
    this.#closeLink();
    this.#stream.end();
    // Closing with unread input makes TCP send a reset, which may overtake our last bytes: read on.
    this.#stream.resume();
    this.#timers.start('linger', this.#context.limits.lingerMs, () => this.#stream.destroy());
  }

  /** A put could not be stored: nothing more is read, and the client has to reconnect and send it again. */
  failed(failure: WriteFailure): void {
    this.hold(Hold.closing);
    if (failure === 'stopping') {
      this.finishWhenIdle(STOPPING);
    } else if (!this.#timers.runs('closing')) {
      // All clients of a shard without a leader would otherwise come back in the same instant.
      const jitterMs = this.#context.env.random.below(this.#context.limits.closeJitterMs + 1);
      this.#timers.start('closing', jitterMs, () => this.finish(NOT_STORED));
    }
  }

  /** Reads no more, and ends when every put has its outcome, after `closeTimeoutMs` at the latest. */
  finishWhenIdle(ending: Ending): void {
    if (this.#state !== 'open') return;
    if (this.#link.kind !== 'user' || this.#link.user.idle) {
      this.finish(ending);
      return;
    }
    this.hold(Hold.closing);
    this.#link.user.onIdle = () => this.finish(ending);
    this.#timers.start('closing', this.#context.limits.closeTimeoutMs, () => this.finish(ending));
  }

  #received(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#context.counters.bytesReceived += chunk.length;
    this.#chunks.push(chunk);
    this.#process();
  }

  /** Takes packets from what was read until a reason to stop appears. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    const { stages } = this.#context.env;
    const outer = stages?.enter('front');
    const nowMs = this.#context.env.clock.monotonicMs();
    let more = true;
    while (more && this.#state === 'open' && this.#holds === 0) more = this.#step(nowMs);
    stages?.leave(outer);
    this.#processing = false;
    if (this.#inputEnded && this.#holds === 0) this.finish(CLIENT_CLOSED);
  }

  /** Takes one packet. Returns whether there may be another. */
  #step(nowMs: number): boolean {
    switch (this.#splitter.next()) {
      case 'frame':
        this.#packetSeenMs = nowMs;
        this.#countBytes(this.#splitter.end - this.#splitter.start, nowMs);
        this.#packet(nowMs);
        return true;
      case 'large':
        this.#large();
        return true;
      case 'skipped':
        this.#packetSeenMs = nowMs;
        if (this.#link.kind === 'user') this.#link.user.ingest.skipped(nowMs);
        return true;
      case 'malformed':
        this.abort(malformed('malformed packet'));
        return false;
      case 'incomplete':
        return this.#nextChunk();
    }
  }

  #nextChunk(): boolean {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return false;
    // An array keeps the room that it has once needed.
    if (this.#chunks.length === 0) this.#chunks = [];
    this.#splitter.push(chunk);
    return true;
  }

  /** Cluster traffic has no budget: consensus must not wait, and peers limit it themselves. */
  #countBytes(count: number, nowMs: number): void {
    if (this.#link.kind === 'cluster') return;
    this.#turnBytes += count;
    // First: the budget's turn ends before those that wait for it go on.
    const mayGoOn = this.#context.readBudget.allows(count, this.#turnBytes, nowMs);
    if (!mayGoOn) this.hold(Hold.turn);
    this.#planTurnEnd();
  }

  #packet(nowMs: number): void {
    const link = this.#link;
    switch (link.kind) {
      case 'none':
        this.#connect();
        return;
      case 'user': {
        this.#context.counters.packetsReceived += 1;
        const violation = link.user.receive(this.#splitter, nowMs);
        if (violation !== undefined) this.abort(violation);
        return;
      }
      case 'cluster': {
        const result = link.cluster.receive(this.#splitter);
        if (result === 'ping') this.#output.write(PINGRESP);
        else if (result === 'goodbye') this.finish(protocolError('the node disconnected'));
        else if (result === 'violation') this.abort(protocolError('not a cluster message'));
      }
    }
  }

  #large(): void {
    const violation =
      this.#link.kind === 'user' ? this.#link.user.large(this.#splitter) : TOO_LARGE;
    if (violation !== undefined) this.abort(violation);
  }

  #connect(): void {
    const { buffer, header } = this.#splitter;
    // [MQTT-3.1.0-1], [MQTT-2.2.2-2]
    if (header !== PacketType.connect << 4) {
      this.abort(protocolError('the first packet is not CONNECT'));
      return;
    }
    this.#context.strangers.delete(this);
    const packet = parseConnect(buffer, this.#splitter);
    if ('malformed' in packet) return this.#malformedConnect(packet);
    this.#clientId = packet.clientId;
    this.#hearing = packet;
    const isNode = packet.username?.startsWith(NODE_USERNAME_PREFIX) === true;
    const refusal = versionRefusal(packet, { isNode });
    if (refusal !== undefined) this.#refuse(refusal);
    else if (isNode) this.#connectNode(packet);
    else this.#connectUser(packet);
  }

  /** 3.1.1 has no word for it [MQTT-3.1.4-1]; MQTT 5 has (§3.1.4). */
  #malformedConnect({ protocolLevel, malformed: ending }: MalformedConnect): void {
    if (protocolLevel < 5) return this.abort(ending);
    this.#output.write(encodeRefusal(ending));
    this.finish(ending);
  }

  /** Who it is may take a moment to say; nothing is read until then. */
  #connectUser(packet: ConnectPacket): void {
    const refusal = userRefusal(packet);
    if (refusal !== undefined) return this.#refuse(refusal);
    const crowd = crowdRefusal(this.#context, packet);
    if (crowd !== undefined) return this.#refuseOneOfMany(crowd);
    // [MQTT-3.1.3-6]
    const assigned = packet.clientId === '' ? this.#context.clients.newClientId() : '';
    const named = assigned === '' ? packet : { ...packet, clientId: assigned };
    this.#clientId = named.clientId;
    this.hold(Hold.connecting);
    logIn(this.#context, packet, (login) => {
      if (this.#state !== 'open') return;
      this.#admitted(named, assigned, admit(this.#context, packet, login, this));
    });
  }

  /** The session decides further. */
  #admitted(packet: ConnectPacket, assignedClientId: string, admission: Admission): void {
    if (admission.kind === 'refused') return this.#refuse(admission);
    const dialect = dialectOf(this.#context, this.#output, packet, assignedClientId);
    const user = new UserLink(this.#context, this, packet, admission, dialect);
    this.#link = { kind: 'user', user };
    void user.connect();
  }

  /** Another user is connected under its client id, at another node. */
  occupied(): void {
    const message = TAKEN_REFUSAL.reason;
    this.#context.refusals.report({ code: 'CLIENT_ID_TAKEN', message }, this, 'CONNECT');
    this.#refuse(TAKEN_REFUSAL);
  }

  #refuse(refusal: ConnectRefusal): void {
    this.#output.write(refusedConnack(this.#hearing, refusal));
    this.finish(refusal);
  }

  #refuseOneOfMany({ code, refusal }: QuotaRefusal): void {
    this.#context.refusals.report({ code, message: refusal.reason }, this, 'CONNECT');
    this.#refuse(refusal);
  }

  #connectNode(packet: ConnectPacket): void {
    const { clusterDoor, limits } = this.#context;
    const password = packet.password ?? new Uint8Array(0);
    const peer = clusterDoor.authenticate(packet.username ?? '', password);
    if (peer === undefined) return this.#refuse(SECRET_REFUSAL);
    this.#link = { kind: 'cluster', cluster: new ClusterLink(clusterDoor, peer) };
    this.#output.write(encodeConnack(ConnectReturn.accepted));
    this.accepted(limits.clusterPacketBytesMax, packet.keepaliveSeconds);
  }

  #planTurnEnd(): void {
    if (this.#turnEndPlanned) return;
    this.#turnEndPlanned = true;
    this.#context.endOfTurn.add(() => this.#turnEnd());
  }

  #turnEnd(): void {
    this.#turnEndPlanned = false;
    this.#turnBytes = 0;
    if (this.#state !== 'open') return;
    if (this.#link.kind === 'user') this.#acknowledge(this.#link.user);
    this.#output.flush();
    if (this.#state !== 'open') return;
    if (this.#output.backlogBytes > this.#context.limits.outputBytesMax && this.#output.full) {
      this.hold(Hold.output);
    }
    this.release(Hold.turn);
  }

  #acknowledge(user: UserLink): void {
    const againInMs = user.acknowledge({ anyOrder: (this.#holds & Hold.closing) !== 0 });
    if (againInMs !== undefined && !this.#timers.runs('acks')) {
      this.#timers.start('acks', againInMs, () => this.#turnEnd());
    }
    if (user.ingest.full) this.hold(Hold.window);
    else this.release(Hold.window);
    if (user.idle) user.onIdle?.();
  }

  #roomForOutput(): void {
    if (this.#link.kind === 'user') this.#link.user.roomForOutput();
    this.release(Hold.output);
  }

  #ended(): void {
    this.#inputEnded = true;
    if (this.#state === 'open') this.#process();
    else if (this.#stream.writableFinished) this.#stream.destroy();
    else this.#stream.once('finish', () => this.#stream.destroy());
  }

  /** No more packets in or out: what belongs to the connection is given back. */
  #closeLink(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#context.strangers.delete(this);
    this.#context.keepalives.delete(this, this.#keepaliveMs);
    this.#timers.stopAll();
    this.#chunks = [];
    this.#output.close();
    const link = this.#link;
    this.#link = NO_LINK;
    if (link.kind === 'user') link.user.close();
    else if (link.kind === 'cluster') link.cluster.disconnected();
  }

  #gone(): void {
    if (this.#state === 'gone') return;
    this.#report('the connection was lost');
    this.#closeLink();
    this.#state = 'gone';
    this.#timers.stop('linger');
    this.#onGone();
  }

  #report(reason: string): void {
    if (this.#state !== 'open') return;
    const valuesSkipped = this.#link.kind === 'user' ? this.#link.user.valuesSkipped : 0;
    this.#context.env.events.emit({
      level: 'debug',
      name: 'connection-closed',
      message: `closed the connection of ${this.#clientId || 'an unnamed client'}: ${reason}`,
      data: { client: this.#clientId, address: this.address, reason, valuesSkipped },
    });
  }
}
