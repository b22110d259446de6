import { describe, expect, it } from 'vitest';
import type { WatchedValue } from '../../broker/data-plane.ts';
import { ValueFrames } from '../../broker/value-frames.ts';

const delivery = { form: 'value', qos: 0, retain: false, identifiers: [] } as const;

function change(key: string, value: Uint8Array): WatchedValue {
  const at = { version: 1, time: 1, deleted: false, snapshot: false };
  return { key: Buffer.from(key), value, ...at };
}

describe('ValueFrames', () => {
  it('encodes each of several changes once, whoever they are told to', () => {
    const frames = new ValueFrames(() => new Uint8Array(0));
    const changes = ['a', 'b', 'c'].map((key) => change(key, Buffer.from('1')));
    const first = changes.map((each) => frames.encode(each, delivery));
    const second = changes.map((each) => frames.encode(each, delivery));
    for (const [index, frame] of second.entries()) expect(frame).toBe(first[index]);
  });

  it('does not remember more than a few', () => {
    const frames = new ValueFrames(() => new Uint8Array(0));
    const large = change('a', new Uint8Array(1_000_000));
    const first = frames.encode(large, delivery);
    frames.encode(change('b', new Uint8Array(1_000_000)), delivery);
    expect(frames.encode(large, delivery)).not.toBe(first);
  });
});
