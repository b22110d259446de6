import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { systemError } from '../../../lsm/vfs/system-error.ts';
import { ENGINE_FOLDERS } from '../../../node/folders.ts';
import type { SeededRandom } from '../../support/random.ts';
import { type FoundRound, roundsIn } from '../log-rounds.ts';
import type { Fault } from './site.ts';

const LOG = '/data/log';
const TABLES = `/data/${ENGINE_FOLDERS.lsm}`;
const IMAGE_AGE_MS_MIN = 45_000;

export const slowDisk: Fault = {
  name: 'slow disk',
  lastsMs: [500, 10_000],
  begin: (site) => {
    const machine = site.random.pick(site.cluster.machines);
    machine.syncMs = site.random.pick([10, 60, 200, 1_000]);
    return () => {
      machine.syncMs = 1;
    };
  },
};

/** No write finds room, and the node cannot go on until there is some. */
export const fullDisk: Fault = {
  name: 'full disk',
  lastsMs: [200, 6_000],
  begin: (site) => {
    const machine = site.pickFree();
    if (machine === undefined) return undefined;
    const release = site.claim(machine);
    machine.beforeOperation = ({ kind, path }) => {
      if (kind === 'write') throw systemError('ENOSPC', path);
    };
    return () => {
      machine.beforeOperation = undefined;
      release();
      site.bringUp(machine);
    };
  },
};

/** One sync fails: what it was for is lost, though later ones succeed. */
export const failedSync: Fault = {
  name: 'failed fsync',
  lastsMs: [1, 3_000],
  begin: (site) => {
    const machine = site.pickFree();
    if (machine === undefined) return undefined;
    const release = site.claim(machine);
    const where = site.random.pick([LOG, TABLES, '/data']);
    machine.failSync = (path) => {
      if (!path.includes(where)) return undefined;
      machine.failSync = undefined;
      return systemError('EIO', path);
    };
    return () => {
      machine.failSync = undefined;
      release();
      site.bringUp(machine);
    };
  },
};

/** Worn flash: some bytes of what one node has on its disk change while it is off. */
export const bitFlips: Fault = {
  name: 'bit flips',
  lastsMs: [1, 5_000],
  begin: (site) => {
    const machine = site.pickToSpoil();
    if (machine === undefined) return undefined;
    site.spoiled.add(machine);
    const release = site.claim(machine);
    site.bringDown(machine);
    void flipBits(machine.vfs, site.random, 1 + site.random.below(4));
    return () => {
      release();
      site.bringUp(machine);
    };
  },
};

/** A machine comes back with an empty disk. */
export const newDisk: Fault = {
  name: 'empty disk',
  lastsMs: [1, 5_000],
  begin: (site) => {
    const machine = site.spoiled.size === 0 ? site.pickFree() : undefined;
    if (machine === undefined) return undefined;
    site.spoiled.add(machine);
    const release = site.claim(machine);
    site.bringDown(machine);
    machine.vfs = new CrashableMemVfs();
    return () => {
      release();
      site.bringUp(machine);
      site.lost.add(machine);
    };
  },
};

/**
 * A machine comes back with the disk it had a while ago, from a backup or a cloned card. The image is older than
 * what the others have written down of this node, however many of them were off meanwhile.
 */
export const oldDisk: Fault = {
  name: 'restored image',
  lastsMs: [IMAGE_AGE_MS_MIN, 60_000],
  begin: (site) => {
    const machine = site.spoiled.size === 0 ? site.pickFree() : undefined;
    if (machine === undefined) return undefined;
    site.spoiled.add(machine);
    const image = machine.vfs.crashClone({ unsyncedKeepRatio: 0, random: () => 0 });
    const { world } = site.cluster;
    const takenAtMs = world.nowMs;
    const { nodeId } = machine;
    return () => {
      if (site.busy.has(machine) || world.nowMs - takenAtMs < IMAGE_AGE_MS_MIN) return;
      if (site.isRunning(machine)) site.bringDown(machine);
      machine.vfs = image;
      // It has begun anew meanwhile, so that the cluster has removed what the image is of.
      if (machine.nodeId !== nodeId) site.leaving.add(machine);
      site.bringUp(machine);
    };
  },
};

/**
 * In any of the node's files, but never in both copies of what it must not forget; and not in the newest two rounds of
 * a log. What nothing declares synced cannot be told from a write that was cut off (DESIGN §5 ▣, One log per node),
 * but by others, who may not have heard of it: that is no fault that a group survives.
 */
async function flipBits(vfs: CrashableMemVfs, random: SeededRandom, count: number): Promise<void> {
  const paths: string[] = [];
  const spared: FoundRound[] = [];
  // A node that has begun anew has others than it had.
  for (const name of await vfs.list('/data')) {
    const folder = `/data/${name}`;
    if (!folder.startsWith(LOG) && !folder.startsWith(TABLES)) continue;
    for (const file of await vfs.list(folder)) paths.push(`${folder}/${file}`);
    if (folder.startsWith(LOG)) spared.push(...newestTwo(await roundsIn(vfs, folder)));
  }
  paths.push('/data/identity', '/data/peers');
  for (let i = 0; i < count; i++) {
    const path = random.pick(paths);
    if (!(await vfs.exists(path))) continue;
    const { length } = await vfs.readFile(path);
    if (length === 0) continue;
    const [offset, mask] = [random.below(length), 1 << random.below(8)];
    const isSpared = spared.some((round) => round.path === path && offset >= round.offset);
    if (!isSpared) vfs.damage(path, offset, mask);
  }
}

function newestTwo(rounds: readonly FoundRound[]): FoundRound[] {
  const newest = Math.max(...rounds.map(({ number }) => number));
  return rounds.filter(({ number }) => number >= newest - 1);
}

/** Whether an error comes from a disk that was made to fail, or from an engine that has ended because of one. */
export function isDiskFailure(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EIO' || code === 'ENOSPC') return true;
  }
  return false;
}
