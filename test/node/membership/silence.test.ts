import { describe, expect, it } from 'vitest';
import { Silence } from '../../../node/membership/silence.ts';

const passing = (silence: Silence, ticks: number) => {
  for (let i = 0; i < ticks; i++) silence.tick();
};

describe('A node that could not be heard', () => {
  it('has returned with its first message, and is told once', () => {
    const silence = new Silence();
    expect(silence.heard('a')).toBe(false);
    passing(silence, 7);
    expect(silence.heard('b')).toBe(false);
    expect(silence.heard('a')).toBe(true);
    expect(silence.heard('a')).toBe(false);
    expect(silence.takeReturned()).toEqual(['a']);
    expect(silence.takeReturned()).toEqual([]);
  });

  it('has not been silent when a heartbeat was late', () => {
    const silence = new Silence();
    silence.heard('a');
    passing(silence, 6);
    expect(silence.heard('a')).toBe(false);
    expect(silence.takeReturned()).toEqual([]);
  });
});
