import { cluster } from '../../protos/index.ts';

export interface ChunkWindowOptions {
  /** So much may be on its way and not answered; any one chunk may. */
  readonly bytesMax: number;
  readonly triesMax: number;
  /** Resolves with the answer to a chunk; undefined: none came in time. */
  readonly send: (
    number: number,
    blocks: readonly Uint8Array[],
  ) => Promise<cluster.SnapshotReply.$Properties | undefined>;
  /** Before chunks are sent again. */
  readonly pause: () => Promise<void>;
}

interface Chunk {
  readonly number: number;
  readonly blocks: readonly Uint8Array[];
  readonly bytes: number;
  answer: Promise<cluster.SnapshotReply.$Properties | undefined>;
}

/**
 * The chunks of one snapshot on their way, in order and several at once. Whoever takes them takes only the next: when
 * one gets lost, it is sent again with all that followed it.
 */
export class ChunkWindow {
  readonly #options: ChunkWindowOptions;
  /** Not known to have been taken, oldest first. */
  readonly #inFlight: Chunk[] = [];
  #inFlightBytes = 0;
  #count = 0;

  constructor(options: ChunkWindowOptions) {
    this.#options = options;
  }

  /** So many were added. */
  get count(): number {
    return this.#count;
  }

  /** Sends one more as soon as there is room. False: the other side does not go on with this snapshot. */
  async add(blocks: readonly Uint8Array[], bytes: number): Promise<boolean> {
    const { bytesMax, send } = this.#options;
    while (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > bytesMax) {
      if (!(await this.#settleOldest())) return false;
    }
    const number = this.#count++;
    this.#inFlight.push({ number, blocks, bytes, answer: send(number, blocks) });
    this.#inFlightBytes += bytes;
    return true;
  }

  /** Waits until all are taken. False: as of `add`. */
  async settle(): Promise<boolean> {
    while (this.#inFlight.length > 0) if (!(await this.#settleOldest())) return false;
    return true;
  }

  async #settleOldest(): Promise<boolean> {
    const oldest = this.#inFlight[0] as Chunk;
    for (let tries = 1; ; tries++) {
      const reply = await oldest.answer;
      if (reply !== undefined && !mayComeAgain(reply.status)) return false;
      if ((reply?.nextNumber ?? 0) > oldest.number) break;
      if (tries === this.#options.triesMax) return false;
      await this.#options.pause();
      for (const each of this.#inFlight) each.answer = this.#options.send(each.number, each.blocks);
    }
    this.#inFlight.shift();
    this.#inFlightBytes -= oldest.bytes;
    return true;
  }
}

function mayComeAgain(status: cluster.SnapshotStatus | null | undefined): boolean {
  const { SNAPSHOT_WANTED, SNAPSHOT_BUSY } = cluster.SnapshotStatus;
  return status === SNAPSHOT_WANTED || status === SNAPSHOT_BUSY;
}
