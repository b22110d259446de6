import { bitFlips, failedSync, fullDisk, newDisk, oldDisk, slowDisk } from './disks.ts';
import { join, leave, replaceDisk, replaceNode, reweigh } from './membership.ts';
import {
  badWire,
  leaderIsolated,
  oneWayPartition,
  pairCut,
  partition,
  reset,
  slowWire,
} from './networks.ts';
import { blackout, blink, clockJump, clockSkew, kill, pause, powerCut } from './processes.ts';
import type { Fault } from './site.ts';

/** Which faults there are in a run, how often, and of what. */
export interface Mix {
  readonly faults: readonly (readonly [weight: number, fault: Fault])[];
  /** From the beginning of one fault to that of the next, on average. */
  readonly everyMs: number;
  readonly nodes: readonly number[];
}

const crashes = [
  [4, kill],
  [4, powerCut],
  [2, blackout],
  [2, slowDisk],
] as const;

const networks = [
  [3, partition],
  [2, oneWayPartition],
  [2, pairCut],
  [3, leaderIsolated],
  [2, badWire],
  [2, slowWire],
  [1, reset],
  [2, pause],
] as const;

const disks = [
  [2, slowDisk],
  [1, fullDisk],
  [2, failedSync],
  [1, bitFlips],
  [0.3, newDisk],
  [0.3, oldDisk],
] as const;

const clocks = [
  [2, clockSkew],
  [1, clockJump],
] as const;

const membership = [
  [0.3, join],
  [0.3, leave],
  [0.15, replaceDisk],
  [0.15, replaceNode],
] as const;

/** To add a fault, write it and name it here. */
export const MIXES = {
  everything: {
    faults: [...crashes, ...networks, ...disks, ...clocks, [1, reweigh], ...membership],
    everyMs: 2_500,
    nodes: [3, 3, 4, 5],
  },
  crashes: { faults: crashes, everyMs: 2_000, nodes: [3, 5] },
  networks: { faults: networks, everyMs: 2_000, nodes: [3, 5] },
  disks: { faults: [...crashes, ...disks], everyMs: 2_500, nodes: [3, 4] },
  /** Processes that are back before others have noticed, and messages that arrive late. */
  elections: {
    faults: [
      [6, blink],
      [3, leaderIsolated],
      [2, slowWire],
      [1, badWire],
    ],
    everyMs: 700,
    nodes: [3, 5],
  },
  /** Disks that sync slowly, processes that are killed meanwhile, and then the power goes. */
  'page cache': {
    faults: [
      [3, slowDisk],
      [4, kill],
      [4, blackout],
    ],
    everyMs: 1_500,
    nodes: [3],
  },
  /** What one disk of a group may do. */
  damage: {
    faults: [
      [2, bitFlips],
      [1, newDisk],
      [2, kill],
      [2, leaderIsolated],
    ],
    everyMs: 2_500,
    nodes: [3, 4],
  },
  /** Shards that move from node to node, while these and their connections fail. */
  moves: {
    faults: [
      [5, reweigh],
      ...membership,
      [2, kill],
      [1, powerCut],
      [1, blackout],
      [2, leaderIsolated],
      [1, partition],
      [1, oneWayPartition],
      [1, slowWire],
      [1, badWire],
      [1, slowDisk],
    ],
    everyMs: 2_000,
    nodes: [4, 5],
  },
  /** More nodes than a group has replicas: some have to ask others. */
  wide: { faults: [...networks, [3, kill]], everyMs: 2_000, nodes: [4, 5, 6] },
  clocks: { faults: [...clocks, [1, kill], [1, leaderIsolated]], everyMs: 1_500, nodes: [3] },
  calm: { faults: [], everyMs: 10_000, nodes: [3] },
} as const satisfies Record<string, Mix>;

export type MixName = keyof typeof MIXES;
