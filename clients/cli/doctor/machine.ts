import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { formatBytes } from '../table.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const MIB = 1024 * 1024;
/** `engines` of the package. */
const NODE_VERSION_MIN: readonly [number, number] = [20, 19];
/** A small node is content with less than half of it. */
const MEMORY_LITTLE_BYTES = 256 * MIB;
const MEMORY_TOO_LITTLE_BYTES = 96 * MIB;
/** A connection takes one, and so does each table. */
const FILES_FEW = 4_096;
const FILES_TOO_FEW = 512;

/** Of this machine, as far as it has nothing to do with the disk and the network. */
export function examineMachine(): Finding[] {
  const files = openFilesMax();
  return [
    judgeNodeVersion(process.versions.node),
    judgeMemory({
      availableBytes: process.availableMemory(),
      totalBytes: Math.min(totalmem(), limitBytes()),
    }),
    ...(files === undefined ? [] : [judgeOpenFiles(files)]),
  ];
}

export function judgeNodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN;
  const isEnough = major > majorMin || (major === majorMin && minor >= minorMin);
  if (isEnough) return ok('node-version', `Node.js ${version}`);
  return problem(
    'node-version',
    `Node.js ${version} is too old`,
    `Install Node.js ${majorMin}.${minorMin} or later.`,
  );
}

export function judgeMemory(memory: {
  readonly availableBytes: number;
  readonly totalBytes: number;
}): Finding {
  const { availableBytes, totalBytes } = memory;
  const said = `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} are free`;
  if (availableBytes >= MEMORY_LITTLE_BYTES) return ok('memory', said);
  const advice = 'Stop what else runs here, add memory, or give nodes a smaller --memtable-bytes.';
  const judge = availableBytes < MEMORY_TOO_LITTLE_BYTES ? problem : warning;
  return judge('memory', said, advice);
}

export function judgeOpenFiles(filesMax: number): Finding {
  const said = `a process may have ${filesMax} files and connections open`;
  if (filesMax >= FILES_FEW) return ok('open-files', said);
  const judge = filesMax < FILES_TOO_FEW ? problem : warning;
  return judge(
    'open-files',
    said,
    'Raise it: "ulimit -n 65536" before the start, or LimitNOFILE=65536 in the systemd unit.',
  );
}

/** Of a container or a unit; without one there is no limit but the machine. */
function limitBytes(): number {
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

/** Undefined where there is no /proc (proc(5), `limits`). Node has raised the soft limit to the hard one. */
function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
    return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
  } catch {
    return undefined;
  }
}
