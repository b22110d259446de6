import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertStatus, AlertsDocument } from '../../clients/cli/alert-document.ts';
import { askHttp } from '../../clients/cli/http.ts';
import { OsVfs } from '../../lsm/vfs/os.ts';
import { decodeKept } from '../../node/alerts/alert-history.ts';
import { readStateFile } from '../../node/membership/state-file.ts';
import { eventually } from '../support/eventually.ts';
import { gather } from './support/clients.ts';
import { dss, temporaryDirectory } from './support/processes.ts';
import { printLogsOnFailure, TestCluster } from './support/test-cluster.ts';

interface Told {
  readonly event: 'firing' | 'resolved';
  readonly cluster: string;
  readonly node: string;
  readonly alert: AlertStatus;
}

/** The tests run in order on one cluster: a node is killed, and comes back. */
describe('alerts of three nodes', () => {
  let cluster: TestCluster;
  let webhook: Server;
  const told: Told[] = [];
  beforeAll(async () => {
    webhook = createServer(async (request, response) => {
      told.push(JSON.parse(await text(request)));
      // The first one is told again: this was no answer.
      response.statusCode = told.length === 1 ? 500 : 204;
      response.end();
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    const { port } = webhook.address() as AddressInfo;
    const config = `alerts:\n  webhook: http://127.0.0.1:${port}/open-sesame\n`;
    cluster = await TestCluster.start({ shards: 4, config });
  });
  afterAll(async () => {
    await cluster?.close();
    webhook?.close();
  });
  printLogsOnFailure(() => cluster);

  function alertsOf(index: number): Promise<AlertsDocument> {
    const door = { bases: cluster.node(index).httpUrl, timeoutMs: 5_000 };
    return askHttp(door, { path: '/v1/alerts' });
  }

  const named = (name: string) => (alert: AlertStatus) => alert.name === name;

  it('tell of a node that is killed: everywhere, on topics, and to a webhook', async () => {
    const board = await gather(cluster.node(1), 'dss/sys/alerts/#');
    await cluster.kill(2);
    for (const index of [0, 1]) {
      const alert = await eventually(`an alert at ${index}`, async () =>
        (await alertsOf(index)).alerts.find(named('node-failed-n3')),
      );
      expect(alert).toMatchObject({
        ...{ rule: 'node-failed', subject: 'n3', severity: 'critical', state: 'firing' },
        ...{ message: expect.stringContaining('n3'), advice: expect.stringContaining('n3') },
      });
      const { alerts } = await cluster.status(index);
      expect(alerts.find(named('node-failed-n3'))).toEqual(alert);
    }
    await board.until('the topic', () =>
      board.messages.some(({ topic }) => topic === 'dss/sys/alerts/node-failed-n3'),
    );
    // Nodes that have just started leave it to others for half a minute.
    await eventually('the webhook', async () => (told.length >= 2 ? true : undefined));
    const { cluster: of } = await cluster.status(0);
    for (const { event, alert, cluster: id } of told) {
      expect({ event, id, name: alert.name }).toEqual({
        ...{ event: 'firing', id: of.id, name: 'node-failed-n3' },
      });
    }
    const { stdout } = await dss(['alerts', '--http', cluster.node(0).httpUrl]);
    expect(stdout).toMatch(/^node-failed-n3 \(critical, for \d/);
    expect(stdout).toMatch(/\n {2}Look at the machine/);
    const { body } = await metrics(0);
    expect(body).toContain('dss_alert{rule="node-failed",severity="critical"} 1');
    expect(body).toContain('dss_alert{rule="storage-full",severity="critical"} 0');
  });

  async function metrics(index: number): Promise<{ readonly body: string }> {
    const response = await fetch(`${cluster.node(index).httpUrl}/metrics`);
    return { body: await response.text() };
  }

  it('are in a report, with what every node says, and without secrets', async () => {
    const file = join(await temporaryDirectory(), 'report.md');
    const flags = ['--http', cluster.node(0).httpUrl];
    const written = await dss(['report', '--output', file, ...flags, '--json']);
    expect(JSON.parse(written.stdout)).toEqual({ file, nodes: 2, silent: ['n3'] });
    const { stdout } = await dss(['report', ...flags]);
    expect(stdout).toMatch(/^# Health of the DSS cluster \S+\n/);
    expect(stdout).toMatch(/\*\*Did not answer: n3\*\*: cannot reach/);
    expect(stdout).toMatch(
      /- \*\*node-failed-n3\*\* \(critical, firing since \S+, seen by n1, n2\)/,
    );
    expect(stdout).toMatch(/\n## Node n2\n/);
    expect(stdout).toMatch(/"alerts\.webhook": "\(hidden\)"/);
    expect(stdout).not.toContain('sesame');
    expect(stdout).not.toContain('end-to-end');
  });

  it('are over when it is back, which is remembered', async () => {
    const before = told.length;
    cluster.restart(2);
    await cluster.waitForLeaders();
    for (const index of [0, 1]) {
      const over = await eventually(`over at ${index}`, async () =>
        (await alertsOf(index)).history.find(named('node-failed-n3')),
      );
      expect(over).toMatchObject({ state: 'resolved', until: expect.any(String) });
    }
    const over = await eventually('the webhook', async () =>
      told.slice(before).find(({ event }) => event === 'resolved'),
    );
    expect(over.alert).toMatchObject({ name: 'node-failed-n3', state: 'resolved' });
    const { stdout } = await dss(['alerts', '--history', '--http', cluster.node(1).httpUrl]);
    expect(stdout).toMatch(/LASTED +ALERT/);
    expect(stdout).toMatch(/node-failed-n3 +Nothing is heard of n3/);

    // Changes are written together, every ten seconds: not sooner than this it has to survive.
    await eventually('what is over is on the disk', async () => {
      const kept = await readStateFile(new OsVfs(), cluster.node(1).dataDir, 'alerts');
      const { history } = decodeKept(Buffer.from(kept ?? '').toString());
      return history.find(({ rule }) => rule === 'node-failed');
    });
    await cluster.kill(1);
    cluster.restart(1);
    await cluster.waitForLeaders();
    const { history } = await alertsOf(1);
    expect(
      history.map(({ name }) => name),
      'a restart forgets nothing',
    ).toContain('node-failed-n3');
  });
});
