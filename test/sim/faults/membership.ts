import { editNodeTable } from '../../../node/settings/nodes.ts';
import type { Settings } from '../../../node/settings/settings.ts';
import type { Fault } from './site.ts';

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
    const edit = (settings: Settings) => ({
      settings: {
        ...settings,
        nodes: settings.nodes.map((row) => (row.node === node ? { ...row, weight } : row)),
      },
    });
    at.life?.reach(() => {
      const { settings, genesis } = at.active;
      // Without a quorum nothing comes of it.
      settings.change(editNodeTable(genesis, edit)).catch(() => {});
    });
    return () => {};
  },
};
