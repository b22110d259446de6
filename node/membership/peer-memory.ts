import type { Vfs } from '../../lsm/vfs/vfs.ts';
import type { Events } from '../env.ts';
import { readDispensable, writeStateFile } from './state-file.ts';

/**
 * The furthest that a node has told of itself: the start counter of its last run, and the last round it had
 * synced in any run. Rounds are numbered on over restarts, so neither number ever goes back by itself.
 */
export interface Progress {
  readonly startCounter: number;
  readonly syncedRound: number;
}

const FILE = 'peers';

/**
 * What this node remembers of the others, so that one that comes back from a restored image or a cloned
 * card is told that it holds less than it once had (DESIGN §5 ▣, Identity).
 */
export class PeerMemory {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #progress: Map<string, Progress>;
  #dirty = false;
  #writing = false;

  /** What is damaged is forgotten, and said: the node starts all the same, the others remember too. */
  static async open(vfs: Vfs, directory: string, events: Events): Promise<PeerMemory> {
    const loss = 'what this node remembers of others is lost';
    const bytes = await readDispensable(vfs, directory, FILE, { events, loss });
    const entries =
      bytes === undefined
        ? []
        : (JSON.parse(new TextDecoder().decode(bytes)) as [string, Progress][]);
    return new PeerMemory(vfs, directory, new Map(entries));
  }

  private constructor(vfs: Vfs, directory: string, progress: Map<string, Progress>) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#progress = progress;
  }

  /** Takes note of what a message carried. A node that starts again, with less, does not make it forget. */
  note(node: string, { startCounter, syncedRound }: Progress): void {
    const known = this.#progress.get(node);
    const furthest = furthestOf(known, { startCounter, syncedRound });
    const isNew =
      furthest.startCounter !== known?.startCounter || furthest.syncedRound !== known.syncedRound;
    if (!isNew) return;
    this.#progress.set(node, furthest);
    this.#dirty = true;
  }

  get(node: string): Progress | undefined {
    return this.#progress.get(node);
  }

  /** Of a node that never comes back under this id. */
  forget(node: string): void {
    if (this.#progress.delete(node)) this.#dirty = true;
  }

  /** Writes what is new; call it now and then. */
  async persist(): Promise<void> {
    if (!this.#dirty || this.#writing) return;
    this.#writing = true;
    this.#dirty = false;
    try {
      const text = JSON.stringify([...this.#progress]);
      await writeStateFile(this.#vfs, this.#directory, FILE, new TextEncoder().encode(text));
    } catch (error) {
      this.#dirty = true;
      throw error;
    } finally {
      this.#writing = false;
    }
  }
}

/** Two memories of one node, taken together. */
export function furthestOf(a: Progress | undefined, b: Progress): Progress {
  return {
    startCounter: Math.max(a?.startCounter ?? 0, b.startCounter),
    syncedRound: Math.max(a?.syncedRound ?? 0, b.syncedRound),
  };
}
