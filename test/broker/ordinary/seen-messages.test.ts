import { describe, expect, it } from 'vitest';
import { SeenMessages } from '../../../broker/ordinary/seen-messages.ts';

describe('SeenMessages', () => {
  it('knows from the store what came live', () => {
    const seen = new SeenMessages();
    expect(seen.live('a')).toBe(true);
    expect([...seen.stored(['a', 'b'])]).toEqual(['b']);
  });

  it('knows live what came from the store', () => {
    const seen = new SeenMessages();
    seen.stored(['a']);
    expect(seen.live('a')).toBe(false);
    expect(seen.live('b')).toBe(true);
  });

  it('knows what the store has shown before', () => {
    const seen = new SeenMessages();
    seen.stored(['a']);
    expect([...seen.stored(['a', 'b'])]).toEqual(['b']);
  });

  it('forgets what is a thousand messages ago', () => {
    const seen = new SeenMessages();
    for (let number = 0; number <= 1_000; number += 1) seen.live(`live-${number}`);
    expect([...seen.stored(['live-0', 'live-1'])]).toEqual(['live-0']);
    seen.stored(Array.from({ length: 1_001 }, (_, number) => `stored-${number}`));
    expect(seen.live('stored-0')).toBe(true);
    expect(seen.live('stored-1000')).toBe(false);
  });
});
