import { readFileSync, writeFileSync } from 'node:fs';
import type { StatusDocument } from '../../clients/cli/status-document.ts';

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
    for (const { processId } of this.#processes) forgetPeak(processId);
    const result = await run();
    const nodes = this.#processes.map(({ name, processId }) => ({
      name,
      residentBytes: readBytes(processId, 'VmRSS'),
      peakBytes: readBytes(processId, 'VmHWM'),
    }));
    this.parts.push({ part, nodes });
    return result;
  }
}

/** proc(5): 5 sets the peak to what is resident now. */
function forgetPeak(processId: number): void {
  try {
    writeFileSync(`/proc/${processId}/clear_refs`, '5');
  } catch {
    // Then the peak is that of the process since it began.
  }
}

function readBytes(processId: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    const kibibytes = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1];
    return Number(kibibytes ?? Number.NaN) * 1024;
  } catch {
    return Number.NaN;
  }
}
