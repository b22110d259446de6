import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectMqtt } from './support/clients.ts';
import { expectNothingLost } from './support/nothing-lost.ts';
import { PublishingFleet } from './support/publishing-fleet.ts';
import { TestCluster } from './support/test-cluster.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ nodes: 1, shards: 4 });
});
afterAll(() => cluster?.close());

it('finds an acknowledged put whose key is older, or gone', async () => {
  const fleet = new PublishingFleet({ prefix: 'watched', nodes: () => cluster.nodes, keys: 20 });
  // Every key is at its second number at least, so that there is an older one.
  await fleet.allAcknowledgedAgain();
  await fleet.allAcknowledgedAgain();
  await fleet.stop();
  await expectNothingLost(fleet, cluster.nodes);

  const vandal = await connectMqtt(cluster.node(0));
  await vandal.publishAsync('dss/put/watched/dev3', '1', { qos: 1 });
  await expect(expectNothingLost(fleet, cluster.nodes)).rejects.toMatchObject({
    actual: [{ key: 'watched/dev3', found: '1' }],
  });
  // It may be older after a repetition, as long as the later one is in the history.
  fleet.keys[3]?.repeated.add(1);
  await expectNothingLost(fleet, cluster.nodes);
  await vandal.publishAsync('dss/delete/watched/dev5', '', { qos: 1 });
  await expect(expectNothingLost(fleet, cluster.nodes, 500)).rejects.toMatchObject({
    actual: [{ key: 'watched/dev5', found: undefined }],
  });
  await vandal.endAsync();
});
