import type { StatusDocument } from '../../clients/cli/status-document.ts';
import { forgetPeakBytesOf, peakBytesOf, residentBytesOf } from '../process-figures.ts';

/** What the nodes held in memory after a part of the bench, and at most while it ran. */
export interface PartMemory {
  readonly part: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly residentBytes: number;
    readonly peakBytes: number;
  }[];
}

/** Reads what the kernel counts, which costs the nodes nothing. NaN where there is no Linux. */
export class NodeMemory {
  readonly #processes: readonly { readonly name: string; readonly processId: number }[];
  readonly parts: PartMemory[] = [];

  constructor(nodes: readonly StatusDocument[]) {
    this.#processes = nodes.map(({ node, process: { processId } }) => ({
      name: node.name,
      processId,
    }));
  }

  async during<T>(part: string, run: () => Promise<T>): Promise<T> {
    for (const { processId } of this.#processes) forgetPeakBytesOf(processId);
    const result = await run();
    const nodes = this.#processes.map(({ name, processId }) => ({
      name,
      residentBytes: residentBytesOf(processId),
      peakBytes: peakBytesOf(processId),
    }));
    this.parts.push({ part, nodes });
    return result;
  }
}
