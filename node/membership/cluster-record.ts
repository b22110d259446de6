import type { Vfs } from '../../lsm/vfs/vfs.ts';
import { decode, encode, kv } from '../../protos/index.ts';
import type { Events } from '../env.ts';
import { isRemoved, type NodeRow, nodeTable } from '../settings/nodes.ts';
import { EMPTY_SETTINGS, sameSettings } from '../settings/settings.ts';
import { nodeRowFromProto, nodeRowToProto } from '../settings/settings-codec.ts';
import { type Genesis, writeGenesis } from './genesis.ts';
import { readDispensable, writeStateFile } from './state-file.ts';

const FILE = 'nodes';

/**
 * What a node's directory holds of its cluster: the genesis, and the newest node table that it has heard of. By
 * these it finds the others when it starts, before it can ask anybody.
 */
export class ClusterRecord {
  readonly #vfs: Vfs;
  readonly #directory: string;
  #genesis: Genesis | undefined;
  /** Of the settings that the table is from. */
  #revision: number;
  #rows: readonly NodeRow[];
  #isDirty = false;
  #writing: Promise<void> | undefined;

  /** A node table that is damaged is forgotten, and said: peers know it, too. */
  static async open(vfs: Vfs, directory: string, events: Events): Promise<ClusterRecord> {
    const bytes = await readDispensable(vfs, directory, FILE, {
      events,
      loss: 'who the nodes are has to be asked of the first ones',
    });
    const { revision, nodes } = decode(kv.Settings, bytes ?? new Uint8Array(0));
    return new ClusterRecord(vfs, directory, revision, nodes.map(nodeRowFromProto));
  }

  /** Of a node that is in no cluster. What the directory knows of one stays there until there is something to write. */
  static empty(vfs: Vfs, directory: string): ClusterRecord {
    return new ClusterRecord(vfs, directory, 0, []);
  }

  private constructor(vfs: Vfs, directory: string, revision: number, rows: readonly NodeRow[]) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#revision = revision;
    this.#rows = rows;
  }

  get genesis(): Genesis | undefined {
    return this.#genesis;
  }

  get clusterId(): string | undefined {
    return this.#genesis?.clusterId;
  }

  /** 0: the nodes are those of the genesis. */
  get revision(): number {
    return this.#revision;
  }

  get rows(): readonly NodeRow[] {
    if (this.#genesis === undefined) return this.#rows;
    return nodeTable({ nodes: this.#rows }, this.#genesis);
  }

  /** The nodes that take part. */
  get liveRows(): readonly NodeRow[] {
    return this.rows.filter((row) => !isRemoved(row));
  }

  rowOf(node: string): NodeRow | undefined {
    return this.rows.find((row) => row.node === node);
  }

  /** A genesis that was read from the directory. */
  useGenesis(genesis: Genesis): void {
    this.#genesis = genesis;
  }

  /** Durable when it resolves. */
  async writeGenesis(genesis: Genesis): Promise<void> {
    await writeGenesis(this.#vfs, this.#directory, genesis);
    this.#genesis = genesis;
  }

  /** Takes over what was committed in this revision, if it is a later one. Returns whether the rows are others now. */
  learn(revision: number, rows: readonly NodeRow[]): boolean {
    if (revision <= this.#revision || rows.length === 0) return false;
    this.#revision = revision;
    const known = { ...EMPTY_SETTINGS, nodes: this.#rows };
    if (sameSettings(known, { ...EMPTY_SETTINGS, nodes: rows })) return false;
    this.#rows = rows;
    this.#isDirty = true;
    return true;
  }

  /** A person says that these will never come back: nobody waits for them, whatever the cluster says so far. */
  countOut(nodes: readonly string[], nowMs: number): void {
    this.#rows = this.rows.map((row) =>
      nodes.includes(row.node) && !isRemoved(row) ? { ...row, state: 'dead', sinceMs: nowMs } : row,
    );
    this.#isDirty = true;
  }

  /** Writes the node table if it has changed; durable when it resolves. */
  async persist(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const nodes = this.#rows.map(nodeRowToProto);
    const bytes = encode(kv.Settings, { revision: this.#revision, nodes });
    try {
      await writeStateFile(this.#vfs, this.#directory, FILE, bytes);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }
}
