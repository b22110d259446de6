import type { Vfs } from '../../lsm/vfs/vfs.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** The furthest that a node has told of itself: one run of its process and the last round it had synced. */
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

  static async open(vfs: Vfs, directory: string): Promise<PeerMemory> {
    const bytes = await readStateFile(vfs, directory, FILE);
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

  /** Takes note of what a message carried. A new start is worth writing down at once. */
  note(node: string, seen: Progress): void {
    const known = this.#progress.get(node);
    if (known !== undefined && !isFurther(seen, known)) return;
    this.#progress.set(node, seen);
    this.#dirty = true;
  }

  get(node: string): Progress | undefined {
    return this.#progress.get(node);
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

/** Whether `a` lies beyond `b`. */
export function isFurther(a: Progress, b: Progress): boolean {
  return (
    a.startCounter > b.startCounter ||
    (a.startCounter === b.startCounter && a.syncedRound > b.syncedRound)
  );
}
