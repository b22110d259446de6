import type { Life } from '../world.ts';
import type { Fault, FaultSite } from './site.ts';

/** One node ends in this way, and comes back. */
function ending(
  name: string,
  lastsMs: Fault['lastsMs'],
  end: (site: FaultSite) => number | undefined,
): Fault {
  return {
    name,
    lastsMs,
    begin: (site) => {
      const machine = site.pickFree();
      if (machine === undefined) return undefined;
      const release = site.claim(machine);
      const keepRatio = end(site);
      if (keepRatio === undefined) site.cluster.kill(machine);
      else site.cluster.cutPower(machine, keepRatio);
      return () => {
        release();
        site.bringUp(machine);
      };
    },
  };
}

export const kill = ending('kill', [1, 8_000], () => undefined);

/** A process that ends and is there again at once. */
export const blink = ending('blink', [1, 100], () => undefined);

/** Of what was not synced nothing is left, everything, or torn pieces. */
export const powerCut = ending('power cut', [1, 8_000], ({ random }) =>
  random.pick([0, 0, 0.5, 0.9, 1]),
);

/** Several machines at once, often all: there may be no majority left that holds what only the others had synced. */
export const blackout: Fault = {
  name: 'blackout',
  lastsMs: [1, 5_000],
  begin: (site) => {
    const { random, cluster } = site;
    const isTotal = random.chance(0.5);
    const hit = cluster.machines.filter(
      (machine) =>
        site.isRunning(machine) && !site.busy.has(machine) && (isTotal || random.chance(0.6)),
    );
    if (hit.length < 2) return undefined;
    const releases = hit.map((machine) => site.claim(machine));
    const isPowerCut = random.chance(0.8);
    for (const machine of hit) {
      if (isPowerCut) cluster.cutPower(machine, random.pick([0, 0, 0.5]));
      else cluster.kill(machine);
    }
    return () => {
      for (const release of releases) release();
      for (const machine of hit) site.bringUp(machine);
    };
  },
};

/** SIGSTOP: whatever reaches the process waits, and it does not know how long it has been away. */
export const pause: Fault = {
  name: 'pause',
  lastsMs: [50, 6_000],
  begin: (site) => {
    const machine = site.pickFree();
    if (machine === undefined) return undefined;
    const release = site.claim(machine);
    const life = machine.life as Life;
    life.pause();
    return () => {
      release();
      life.resume();
    };
  },
};

/** A wall clock that is wrong by less than what others put up with. */
export const clockSkew = wrongClock('clock skew', (site) => site.random.below(110_000) - 55_000);

/** A wall clock that is wrong by up to two hours. */
export const clockJump = wrongClock('clock jump', ({ random }) => {
  const direction = random.pick([-1, 1]);
  return direction * (61_000 + random.below(7_200_000));
});

function wrongClock(name: string, skewMs: (site: FaultSite) => number): Fault {
  return {
    name,
    lastsMs: [500, 20_000],
    begin: (site) => {
      const machine = site.random.pick(site.cluster.machines);
      const before = machine.skewMs;
      machine.skewMs = skewMs(site);
      return () => {
        machine.skewMs = before;
      };
    },
  };
}
