import type { WhereDocument } from '../../../clients/cli/status-document.ts';
import { exerciseVerbs, type Fact, KEY_NAMES, type Stage } from './contract-scenario.ts';
import { PatientClient } from './patient-client.ts';
import type { ClusterNode, TestCluster } from './test-cluster.ts';

/** Keys below a prefix that are stored where the test wants them. */
export async function chooseKeys(
  cluster: TestCluster,
  prefix: string,
  isWanted: (place: WhereDocument) => boolean,
): Promise<Stage['keys']> {
  const chosen: Record<string, string> = {};
  for (const name of KEY_NAMES) {
    for (let number = 0; chosen[name] === undefined; number += 1) {
      const key = `${prefix}/${name}${number}`;
      if (isWanted(await cluster.where(0, key))) chosen[name] = key;
      if (number > 500) throw new Error(`no key is where the test wants it`);
    }
  }
  return chosen as Stage['keys'];
}

/** Plays the scenario with a client that begins at the first of these nodes. */
export async function play(
  nodes: readonly ClusterNode[],
  rest: Omit<Stage, 'client' | 'rival'>,
): Promise<Fact[]> {
  const client = await PatientClient.connect(nodes);
  const rival = await PatientClient.connect(nodes.toReversed());
  try {
    return await exerciseVerbs({ ...rest, client, rival });
  } finally {
    await client.close();
    await rival.close();
  }
}
