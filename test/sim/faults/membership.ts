import { CrashableMemVfs } from '../../../lsm/vfs/mem.ts';
import { editNodeTable, leaveNode } from '../../../node/settings/nodes.ts';
import type { SettingsEdit } from '../../../node/settings/settings.ts';
import type { Machine } from '../cluster.ts';
import type { Fault, FaultSite } from './site.ts';

/** Beyond this a run takes long and shows nothing new. */
const STAYING_MAX = 5;
/** So many must stay for a group of three to be whole. */
const STAYING_MIN = 3;

/**
 * Somebody gives a node another weight: its share of the shards is another one, and they move, by joint
 * configurations and snapshots, whatever else happens meanwhile.
 */
export const reweigh: Fault = {
  name: 'shards move',
  lastsMs: [1, 1],
  begin: (site) => {
    const { cluster, random } = site;
    const at = site.pickFree();
    const machine = random.pick(cluster.machines);
    const node = machine.node?.identity.node;
    if (at === undefined || node === undefined || machine.life?.alive !== true) return undefined;
    const weight = random.pick([0.2, 1, 1, 5]);
    change(at, (settings) => ({
      settings: {
        ...settings,
        nodes: settings.nodes.map((row) => (row.node === node ? { ...row, weight } : row)),
      },
    }));
    return () => {};
  },
};

/** One more node comes, and shards move to it. */
export const join: Fault = {
  name: 'join',
  lastsMs: [1, 1],
  begin: (site) => {
    if (site.healable.length >= STAYING_MAX) return undefined;
    const { cluster } = site;
    cluster.launch(cluster.addMachine({ join: { addresses: addressesOf(site) } }));
    return () => {};
  },
};

/** Somebody tells a node to leave, as `dss node leave` does: it gives its shards away, and goes when it has none. */
export const leave: Fault = {
  name: 'leave',
  lastsMs: [1, 1],
  begin: (site) => {
    const at = site.pickFree();
    const staying = site.healable;
    if (at === undefined || staying.length <= STAYING_MIN) return undefined;
    const machine = site.random.pick(staying);
    // It may be known to nobody yet.
    if (!machine.joined) return undefined;
    // Whether this is agreed upon or not: nobody may count on it from now on.
    site.leaving.add(machine);
    change(at, (settings) => leaveNode(settings, machine.name, site.cluster.world.nowMs));
    return () => {};
  },
};

/** A machine comes back with an empty disk, and its node is told to take the place of the one that was there. */
export const replaceDisk: Fault = {
  name: 'replaced disk',
  lastsMs: [1, 5_000],
  begin: (site) => {
    const machine = site.spoiled.size === 0 ? site.pickFree() : undefined;
    if (machine === undefined || site.leaving.has(machine)) return undefined;
    site.spoiled.add(machine);
    const release = site.claim(machine);
    site.bringDown(machine);
    machine.vfs = new CrashableMemVfs();
    machine.peers = [];
    machine.entrance = { join: { addresses: addressesOf(site), replace: machine.name } };
    return () => {
      release();
      site.bringUp(machine);
    };
  },
};

/** A new machine takes the place of a node that may well be running, and has to end. */
export const replaceNode: Fault = {
  name: 'replaced node',
  lastsMs: [1, 1],
  begin: (site) => {
    const machine = site.spoiled.size === 0 ? site.pickFree() : undefined;
    if (machine === undefined || site.leaving.has(machine)) return undefined;
    site.spoiled.add(machine);
    site.leaving.add(machine);
    const { cluster } = site;
    const addresses = addressesOf(site);
    cluster.launch(cluster.addMachine({ join: { addresses, replace: machine.name } }));
    return () => {};
  },
};

/** Without a quorum nothing comes of it, or not at once. */
function change(at: Machine, edit: SettingsEdit): void {
  at.life?.reach(() => {
    const { settings, genesis } = at.active;
    settings.change(editNodeTable(genesis, edit)).catch(() => {});
  });
}

function addressesOf({ cluster }: FaultSite): string[] {
  return cluster.machines.map(({ address }) => address);
}
