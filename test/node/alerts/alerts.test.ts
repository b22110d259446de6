import { describe, expect, it } from 'vitest';
import type { ToldAlert } from '../../../node/alerts/alert-states.ts';
import { type AlertSettings, Alerts } from '../../../node/alerts/alerts.ts';
import { FakeEnv, settled } from '../fake-env.ts';
import { clusterFacts, nodeFacts } from './facts.ts';

const DIRECTORY = '/data';
const WELL = clusterFacts();
const N2_FAILED = clusterFacts({
  nodes: [nodeFacts('n1'), nodeFacts('n2', { isFailed: true }), nodeFacts('n3')],
});

async function start(settings: AlertSettings = {}, world = new FakeEnv()) {
  const state = { facts: WELL, told: [] as ToldAlert[], isTeller: true };
  const alerts = new Alerts(
    {
      env: world.env,
      clusterId: 'plant',
      facts: () => state.facts,
      told: () => state.told,
      isTeller: () => state.isTeller,
    },
    settings,
  );
  await alerts.recall();
  alerts.start();
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      world.pass(1_000);
      await settled();
    }
  };
  const firing = () => alerts.firing().map(({ name }) => name);
  return { world, state, alerts, pass, firing };
}

/** A webhook that takes everything, until it is told not to. */
function webhook() {
  const taken: { event: string; alert: { name: string } }[] = [];
  const hook = { taken, isDown: false, attempts: 0 };
  const post = async (body: string) => {
    hook.attempts += 1;
    if (hook.isDown) throw new Error('connect ECONNREFUSED');
    taken.push(JSON.parse(body));
  };
  return Object.assign(hook, { post, told: () => taken.map((t) => `${t.event} ${t.alert.name}`) });
}

describe('alerts', () => {
  it('are looked at every second, and told to whoever listens', async () => {
    const { state, alerts, pass, firing, world } = await start();
    let changes = 0;
    alerts.onChange(() => void changes++);
    state.facts = N2_FAILED;
    await pass(1);
    expect(firing()).toEqual(['node-failed-n2']);
    await pass(5);
    expect(changes).toBe(1);
    const fires = alerts.byRule().filter(({ isFiring }) => isFiring);
    expect(fires).toEqual([{ rule: 'node-failed', severity: 'critical', isFiring: true }]);
    state.facts = WELL;
    await pass(1);
    expect(firing()).toEqual([]);
    expect(changes).toBe(2);
    const document = alerts.document();
    expect(document.alerts).toEqual([]);
    expect(document.history).toEqual([
      {
        ...{ name: 'node-failed-n2', rule: 'node-failed', subject: 'n2', severity: 'critical' },
        ...{ state: 'resolved', since: '2026-01-01T00:00:01.000Z' },
        ...{ until: '2026-01-01T00:00:07.000Z', message: 'Nothing is heard of n2 any more.' },
        advice: expect.stringContaining('--replace n2'),
      },
    ]);
    expect(document.rules).toContainEqual({
      ...{ rule: 'clock-skew', severity: 'warning', threshold: 60, unit: 's', forSeconds: 5 },
      ...{ enabled: true, description: expect.any(String) },
    });
    expect(world.happened.map(({ name, level }) => `${name} ${level}`)).toEqual([
      'alert-firing warn',
      'alert-resolved info',
    ]);
    await alerts.stop();
    expect(world.timersPending).toBe(0);
  });

  it('that only this node can know of are told to the others', async () => {
    const { state, alerts, pass } = await start();
    const damaged = [{ group: 3, reason: 'a table is damaged' }];
    state.facts = clusterFacts({ own: { damaged } });
    await pass(1);
    expect(alerts.forHeartbeat()).toEqual({
      alerts: [expect.objectContaining({ rule: 'table-damaged', subject: 'n1' })],
      reachesWebhook: false,
    });
    const there = await start();
    there.state.told = alerts.forHeartbeat().alerts;
    await there.pass(1);
    expect(there.firing()).toEqual(['table-damaged-n1']);
    expect(there.alerts.forHeartbeat().alerts).toEqual([]);
  });

  it('survive a restart with their history', async () => {
    const world = new FakeEnv();
    await world.env.vfs.makeDirectory(DIRECTORY);
    const first = await start({ directory: DIRECTORY }, world);
    first.state.facts = clusterFacts({ links: [{ name: 'office', message: 'Away.' }] });
    await first.pass(11);
    first.state.facts = N2_FAILED;
    await first.pass(30);
    await first.alerts.stop();
    const before = first.alerts.document();

    const second = await start({ directory: DIRECTORY }, world);
    expect(second.alerts.document().history).toEqual(before.history);
    expect(second.firing()).toEqual(['node-failed-n2']);
    await second.pass(31);
    expect(second.firing()).toEqual([]);
    const [newest, ...older] = second.alerts.document().history;
    expect(newest).toMatchObject({ name: 'node-failed-n2', since: before.alerts[0]?.since });
    expect(older).toEqual(before.history);
  });

  it('are on disk soon, so that a crash forgets little', async () => {
    const world = new FakeEnv();
    await world.env.vfs.makeDirectory(DIRECTORY);
    const { state, pass } = await start({ directory: DIRECTORY }, world);
    state.facts = N2_FAILED;
    await pass(11);
    const again = await start({ directory: DIRECTORY }, world);
    expect(again.firing()).toEqual(['node-failed-n2']);
  });

  it('begin anew where their file is damaged', async () => {
    const world = new FakeEnv();
    await world.env.vfs.makeDirectory(DIRECTORY);
    for (const name of ['alerts', 'alerts.copy']) {
      const file = await world.env.vfs.open(`${DIRECTORY}/${name}`, 'create');
      await file.write(0, new Uint8Array(64).fill(7));
      await file.close();
    }
    const { alerts } = await start({ directory: DIRECTORY }, world);
    expect(alerts.document().history).toEqual([]);
    expect(world.happened.map(({ name }) => name)).toContain('state-damaged');
  });

  it('remember the last thousand that are over', async () => {
    const world = new FakeEnv();
    await world.env.vfs.makeDirectory(DIRECTORY);
    const first = await start({ directory: DIRECTORY }, world);
    for (let i = 0; i < 1_010; i++) {
      first.state.facts = N2_FAILED;
      await first.pass(1);
      first.state.facts = WELL;
      await first.pass(1);
    }
    await first.alerts.stop();
    const second = await start({ directory: DIRECTORY }, world);
    for (const { alerts } of [first, second]) {
      expect(alerts.document().history).toHaveLength(1_000);
      expect(alerts.document().history[0]?.since).toBe('2026-01-01T00:33:39.000Z');
    }
  });
});

describe('the webhook', () => {
  it('is told of what fires and what is over', async () => {
    const hook = webhook();
    const { state, pass } = await start({ post: hook.post });
    state.facts = N2_FAILED;
    await pass(2);
    state.facts = WELL;
    await pass(2);
    expect(hook.told()).toEqual(['firing node-failed-n2', 'resolved node-failed-n2']);
    expect(hook.taken[0]).toMatchObject({
      ...{ cluster: 'plant', node: 'n1', time: '2026-01-01T00:00:01.000Z' },
      alert: { state: 'firing', advice: expect.any(String) },
    });
  });

  it('is left to others by whoever has just started, who know what there is to tell', async () => {
    const { pass, alerts } = await start({ post: webhook().post });
    await pass(29);
    expect(alerts.forHeartbeat().reachesWebhook).toBe(false);
    await pass(1);
    expect(alerts.forHeartbeat().reachesWebhook).toBe(true);
  });

  it('is told by one node; the next one knows what the last minute brought', async () => {
    const hook = webhook();
    const { state, pass } = await start({ post: hook.post });
    state.isTeller = false;
    state.facts = N2_FAILED;
    await pass(61);
    state.facts = WELL;
    await pass(30);
    expect(hook.attempts).toBe(0);
    state.isTeller = true;
    await pass(1);
    expect(hook.told(), 'what is older has been told').toEqual(['resolved node-failed-n2']);
  });

  it('that is down is tried again, ever more seldom, and told everything in order', async () => {
    const hook = webhook();
    const { state, pass, alerts, world } = await start({ post: hook.post });
    await pass(30);
    hook.isDown = true;
    state.facts = N2_FAILED;
    await pass(1);
    expect(alerts.forHeartbeat().reachesWebhook, 'another node tells').toBe(false);
    state.facts = WELL;
    await pass(600);
    expect(hook.attempts).toBeGreaterThan(10);
    expect(hook.attempts).toBeLessThan(20);
    hook.isDown = false;
    await pass(60);
    expect(hook.told()).toEqual(['firing node-failed-n2', 'resolved node-failed-n2']);
    expect(alerts.forHeartbeat().reachesWebhook).toBe(true);
    expect(world.happened.filter(({ name }) => name === 'webhook-failed')).toHaveLength(1);
  });

  it('that stays down is not told of what was more than an hour ago, nor of more than can be kept', async () => {
    const hook = webhook();
    const { state, pass, alerts, world } = await start({ post: hook.post });
    hook.isDown = true;
    for (let i = 0; i < 101; i++) {
      state.facts = N2_FAILED;
      await pass(1);
      state.facts = WELL;
      await pass(1);
    }
    const gaveUp = () => world.happened.filter(({ name }) => name === 'webhook-gave-up').length;
    expect(gaveUp()).toBe(2);
    await pass(3_700);
    expect(gaveUp()).toBeGreaterThan(2);
    await alerts.stop();
    const { attempts } = hook;
    await pass(200);
    expect(hook.attempts).toBe(attempts);
    expect(world.timersPending).toBe(0);
  });
});
