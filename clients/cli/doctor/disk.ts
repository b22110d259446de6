import { existsSync, readFileSync } from 'node:fs';
import { open, realpath, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemCode } from '../errors.ts';
import { formatBytes } from '../table.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const MIB = 1024 * 1024;
const FREE_LITTLE_BYTES = 1024 * MIB;
const FREE_TOO_LITTLE_BYTES = 64 * MIB;
/** As the alert `disk-nearly-full`. */
const FREE_LITTLE_SHARE = 0.1;
const SYNCS = 40;
const SYNC_TIME_MAX_MS = 3_000;
/** What a small put takes of the log, with those that come along. */
const SYNC_BYTES = 4_096;
const SYNC_SLOW_MS = 20;
const SYNC_TOO_SLOW_MS = 100;

/** The disk below a data directory, which need not be there yet. */
export async function examineDisk(dataDirectory: string): Promise<Finding[]> {
  const directory = await nearestExisting(dataDirectory);
  try {
    const { bsize, blocks, bavail } = await statfs(directory);
    return [
      judgeSpace(directory, { freeBytes: bavail * bsize, totalBytes: blocks * bsize }),
      ...judgeMount(mountOf(directory, readText('/proc/self/mountinfo') ?? '')),
      judgeSyncs(directory, await timeSyncs(directory)),
    ];
  } catch (error) {
    const code = systemCode(error) ?? (error as Error).message;
    return [
      problem(
        'data-directory',
        `cannot write into ${directory} (${code})`,
        'Give the user who runs the node the right to write there, or choose another with --data.',
      ),
    ];
  }
}

async function nearestExisting(path: string): Promise<string> {
  let directory = resolve(path);
  while (!existsSync(directory) && dirname(directory) !== directory) directory = dirname(directory);
  return realpath(directory);
}

export function judgeSpace(
  directory: string,
  space: { readonly freeBytes: number; readonly totalBytes: number },
): Finding {
  const { freeBytes, totalBytes } = space;
  const said = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free below ${directory}`;
  const isLittle = freeBytes < FREE_LITTLE_BYTES || freeBytes < totalBytes * FREE_LITTLE_SHARE;
  if (!isLittle) return ok('disk-space', said);
  const judge = freeBytes < FREE_TOO_LITTLE_BYTES ? problem : warning;
  return judge(
    'disk-space',
    said,
    'Make room: a node whose disk is full stops. --storage-max-bytes has old history go in time.',
  );
}

interface Mount {
  readonly type: string;
  readonly source: string;
  /** `major:minor`. */
  readonly device: string;
}

/** The mount that a path is on, of the lines of proc(5) `mountinfo`; undefined where there are none. */
export function mountOf(path: string, mountinfo: string): Mount | undefined {
  let found: { readonly at: string; readonly mount: Mount } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', , escaped = ''] = before.split(' ');
    const [type = '', source = ''] = after.split(' ');
    const at = escaped.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
    const isAbove = at !== '' && `${path}/`.startsWith(at.endsWith('/') ? at : `${at}/`);
    // Of two at the same place the later one covers the other.
    if (isAbove && at.length >= (found?.at.length ?? 0)) {
      found = { at, mount: { type, source, device } };
    }
  }
  return found?.mount;
}

const OTHER_MACHINE = /^(nfs4?|cifs|smb3|smbfs|9p|ceph|fuse\.(sshfs|glusterfs|rclone))$/;
const MEMORY = /^(tmpfs|ramfs)$/;

export function judgeMount(mount: Mount | undefined): Finding[] {
  if (mount === undefined) return [];
  const { type, source, device } = mount;
  if (MEMORY.test(type)) {
    const advice = 'Choose a directory on a disk with --data.';
    return [problem('disk-kind', `${type}: what is there is gone when the machine stops`, advice)];
  }
  if (OTHER_MACHINE.test(type)) {
    const advice =
      'Choose a directory on a disk of this machine: nodes are replicas so that no single disk counts.';
    return [warning('disk-kind', `${type}: the disk of another machine (${source})`, advice)];
  }
  if (type === 'overlay') {
    const advice = 'Mount a volume there: what a container writes elsewhere goes with it.';
    return [warning('disk-kind', 'overlay: a layer of a container', advice)];
  }
  return [ok('disk-kind', `${type} on ${source}${describeDevice(source, device)}`)];
}

function describeDevice(source: string, device: string): string {
  if (/mmcblk/.test(source)) return ', an SD card or eMMC';
  if (/^\/dev\/x?vd/.test(source)) return ', a virtual disk';
  const at = `/sys/dev/block/${device}`;
  // A partition has none of its own.
  const said = readText(`${at}/queue/rotational`) ?? readText(`${at}/../queue/rotational`);
  if (said === undefined) return '';
  return said.trim() === '1' ? ', a disk that turns' : ', an SSD';
}

/** Milliseconds of each of some small appends with fdatasync, as the log of a node makes them. */
async function timeSyncs(directory: string): Promise<number[]> {
  const path = join(directory, `.dss-doctor-${process.pid}`);
  const file = await open(path, 'wx');
  try {
    const block = Buffer.alloc(SYNC_BYTES, 1);
    const startedMs = performance.now();
    const times: number[] = [];
    while (times.length < SYNCS && performance.now() - startedMs < SYNC_TIME_MAX_MS) {
      const beganMs = performance.now();
      await file.write(block);
      await file.datasync();
      times.push(performance.now() - beganMs);
    }
    return times;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

export function judgeSyncs(directory: string, times: readonly number[]): Finding {
  const sorted = [...times].sort((a, b) => a - b);
  const medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const said = `${medianMs.toFixed(2)} ms in the middle, ${(sorted.at(-1) ?? 0).toFixed(2)} ms at worst, in ${directory}`;
  if (medianMs < SYNC_SLOW_MS) return ok('fsync', said);
  const judge = medianMs < SYNC_TOO_SLOW_MS ? warning : problem;
  return judge(
    'fsync',
    said,
    'Every acknowledged put has waited for it: use another disk (an SSD), or stop what else writes to this one.',
  );
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
