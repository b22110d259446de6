import type { ClientClaim, PeerEvents } from '../../broker/ordinary/peers.ts';
import type { cluster } from '../../protos/index.ts';
import type { Env } from '../env.ts';
import type { Call, RpcBody } from '../transport/rpc.ts';
import { Fights } from './fights.ts';

const ANSWER_MS = 1_000;

interface OpenClaim {
  readonly claim: ClientClaim;
  /** Another node has a later one. */
  isLost: boolean;
  /** A client of another user stays. */
  isRefused: boolean;
}

interface TakeoversOptions {
  readonly env: Env;
  readonly own: string;
  readonly reachable: () => readonly string[];
  readonly call: Call;
  readonly events: () => PeerEvents | undefined;
}

/**
 * A client is connected once in the cluster [MQTT-3.1.4-2]: whoever it connects to claims it, and the others let go.
 * Claims count against each other only while they are under way, where both sides see both; a clock that is wrong
 * decides nothing afterwards. A client id that is in use is the user's who came first: an other one's claim is refused.
 */
export class Takeovers {
  readonly #options: TakeoversOptions;
  readonly #fights: Fights;
  readonly #open = new Map<string, OpenClaim>();

  constructor(options: TakeoversOptions) {
    this.#options = options;
    this.#fights = new Fights(options.env);
  }

  /** Resolves when all others have let go, or after a second; false: a client of another user stays. */
  async claim(claim: ClientClaim): Promise<boolean> {
    const { clientId, displacedAddress } = claim;
    const open: OpenClaim = { claim, isLost: false, isRefused: false };
    if (displacedAddress !== '') this.#fights.note(claim, displacedAddress);
    this.#open.set(clientId, open);
    const asked = this.#options.reachable().map((node) => this.#ask(node, open));
    await Promise.all(asked);
    if (this.#open.get(clientId) === open) this.#open.delete(clientId);
    return !open.isRefused;
  }

  serve(from: string, wire: cluster.TakeOver.$Properties, reply: (body: RpcBody) => void): void {
    const theirs = claimOf(wire);
    const mine = this.#open.get(theirs.clientId);
    if (mine !== undefined && !mine.isLost) {
      const isLater = this.#isLater(mine.claim, theirs, from);
      if (mine.claim.user !== theirs.user) {
        // The later one is refused: if that is mine, by the other node.
        reply({ takeOverReply: { isRefused: !isLater } });
        return;
      }
      if (isLater) {
        reply({ takeOverReply: { winner: claimToWire(mine.claim) } });
        return;
      }
      mine.isLost = true;
    }
    void this.#letGo(theirs).then((displacedAddress) => {
      const isRefused = displacedAddress === undefined;
      reply({ takeOverReply: { displacedAddress: displacedAddress ?? '', isRefused } });
    });
  }

  fights() {
    return this.#fights.list();
  }

  async #ask(node: string, open: OpenClaim): Promise<void> {
    const { claim } = open;
    const answer = await this.#options.call(node, { takeOver: claimToWire(claim) }, ANSWER_MS);
    const { displacedAddress = '', winner, isRefused } = answer?.takeOverReply ?? {};
    if (isRefused === true) open.isRefused = true;
    if (displacedAddress) this.#fights.note(claim, displacedAddress);
    // A client that has connected here once more has a claim of its own.
    if (winner == null || open.isLost || this.#open.get(claim.clientId) !== open) return;
    open.isLost = true;
    await this.#letGo(claimOf(winner));
  }

  /** With the address of the connection that ended; undefined: it does not end. */
  async #letGo(claim: ClientClaim): Promise<string | undefined> {
    const { events } = this.#options;
    try {
      const displacedAddress = await (events()?.takenOver(claim) ?? '');
      if (displacedAddress) this.#fights.note(claim, displacedAddress);
      return displacedAddress;
    } catch (error) {
      const message = `client ${claim.clientId} was not let go: ${error}`;
      this.#options.env.events.emit({ level: 'error', name: 'takeover-failed', message });
      return '';
    }
  }

  /** Both nodes decide alike. */
  #isLater(mine: ClientClaim, theirs: ClientClaim, from: string): boolean {
    if (mine.connectedAtMs !== theirs.connectedAtMs) {
      return mine.connectedAtMs > theirs.connectedAtMs;
    }
    return this.#options.own > from;
  }
}

function claimToWire({ clientId, user, connectedAtMs, address }: ClientClaim) {
  return { clientId, user, connectedAtMs, address };
}

function claimOf(wire: cluster.TakeOver.$Properties): ClientClaim {
  return {
    clientId: wire.clientId ?? '',
    user: wire.user ?? '',
    connectedAtMs: wire.connectedAtMs ?? 0,
    address: wire.address ?? '',
    displacedAddress: '',
  };
}
