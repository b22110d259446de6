import { describe, expect, it } from 'vitest';
import { Keepalives } from '../../broker/keepalives.ts';
import { ManualTime } from '../support/manual-time.ts';

const start = () => {
  const time = new ManualTime();
  let timers = 0;
  const env = {
    clock: { nowMs: () => 0, monotonicMs: () => time.nowMs },
    timers: {
      after: (delayMs: number, task: () => void) => {
        timers += 1;
        return time.after(delayMs, task);
      },
    },
  };
  const keepalives = new Keepalives(env);
  const connect = (silenceMs: number) => {
    const watched = {
      heardAtMs: time.nowMs as number | undefined,
      silentAtMs: 0,
      silent: () => {
        watched.silentAtMs = time.nowMs;
        keepalives.delete(watched, silenceMs);
      },
    };
    keepalives.add(watched, silenceMs);
    return watched;
  };
  return { time, connect, keepalives, timers: () => timers };
};

describe('Keepalives', () => {
  it('ends each connection when it has been silent for as long as it may be', () => {
    const { time, connect } = start();
    const first = connect(1_500);
    time.advance(700);
    const second = connect(1_500);
    const patient = connect(9_000);
    time.advance(700);
    first.heardAtMs = time.nowMs;
    for (let passedMs = 0; passedMs < 3_000; passedMs += 10) time.advance(10);
    expect(second.silentAtMs).toBe(2_200);
    expect(first.silentAtMs).toBe(2_900);
    expect(patient.silentAtMs).toBe(0);
  });

  it('gives one that is not read the whole time again', () => {
    const { time, connect } = start();
    const deaf = connect(1_000);
    deaf.heardAtMs = undefined;
    time.advance(5_000);
    expect(deaf.silentAtMs).toBe(0);
    deaf.heardAtMs = time.nowMs;
    time.advance(1_050);
    expect(deaf.silentAtMs).toBeGreaterThan(0);
  });

  it('has no timer for 0, few for thousands that ping, and none when all are gone', () => {
    const { time, connect, keepalives, timers } = start();
    connect(0);
    expect(timers()).toBe(0);
    const crowd = Array.from({ length: 1_000 }, () => connect(90_000));
    for (let second = 1; second <= 600; second += 1) {
      time.advance(1_000);
      crowd.forEach((each, index) => {
        if (index % 60 === second % 60) each.heardAtMs = time.nowMs;
      });
    }
    expect(crowd.every(({ silentAtMs }) => silentAtMs === 0)).toBe(true);
    expect(timers()).toBeLessThan(30);
    for (const each of crowd) keepalives.delete(each, 90_000);
    const before = timers();
    time.advance(200_000);
    expect(timers()).toBe(before);
  });
});
