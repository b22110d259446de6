import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePublish } from '../../broker/frame-encoder.ts';
import { FrameSplitter } from '../../broker/frame-splitter.ts';
import { packet, publish, takePacket } from '../support/mqtt-frames.ts';

const LARGE = 300;

/** Feeds the chunks and notes what comes out; large packets of even size are kept, others skipped. */
function split(chunks: readonly Uint8Array[]): string[] {
  const splitter = new FrameSplitter(LARGE);
  const seen: string[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (;;) {
      const result = splitter.next();
      if (result === 'incomplete') break;
      if (result === 'malformed') return [...seen, result];
      const { buffer, start, bodyStart, end } = splitter;
      if (result === 'frame') {
        seen.push(`frame ${Buffer.from(buffer.subarray(start, end)).toString('hex')}`);
      } else if (result === 'large') {
        seen.push(`large ${end - bodyStart}`);
        if ((end - bodyStart) % 2 === 0) splitter.keep();
        else splitter.skip();
      } else {
        seen.push(result);
      }
    }
  }
  return seen;
}

const anyPacket = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 200 }))
    .filter(([header]) => header >> 4 !== 3)
    .map(([header, body]) => packet(header, body)),
  fc
    .tuple(fc.string(), fc.uint8Array({ maxLength: 1_000 }), fc.integer({ min: 0, max: 2 }))
    .map(([topic, payload, qos]) => publish(topic, payload, { qos, id: 5 })),
);

describe('FrameSplitter', () => {
  it('finds the same packets wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyPacket, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 400 })),
        (packets, lengths) => {
          const stream = Buffer.concat(packets);
          const chunks: Buffer[] = [];
          for (let position = 0; position < stream.length; ) {
            const next = position + (lengths.next().value ?? 1);
            chunks.push(stream.subarray(position, next));
            position = next;
          }
          expect(split(chunks)).toEqual(split([stream]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives packets back as they were', () => {
    const packets = [packet(0xc0, Buffer.alloc(0)), publish('a/b', 'payload', { qos: 1, id: 3 })];
    expect(split([Buffer.concat(packets)])).toEqual(
      packets.map((bytes) => `frame ${bytes.toString('hex')}`),
    );
  });

  it('announces a large PUBLISH when its topic is there, and drops it without buffering', () => {
    const splitter = new FrameSplitter(LARGE);
    const large = publish('topic', Buffer.alloc(1_000_000), { qos: 1, id: 3 });
    splitter.push(large.subarray(0, 10));
    expect(splitter.next()).toBe('incomplete');
    splitter.push(large.subarray(10, 14));
    expect(splitter.next()).toBe('large');
    splitter.skip();
    expect(splitter.next()).toBe('incomplete');
    splitter.push(large.subarray(14));
    expect(splitter.next()).toBe('skipped');
    expect(splitter.next()).toBe('incomplete');
  });

  it('does not reserve memory for a length that is only announced', () => {
    const splitter = new FrameSplitter(0xfffffff);
    splitter.push(Buffer.of(0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3));
    expect(splitter.next()).toBe('incomplete');
    expect(splitter.next()).toBe('incomplete');
    expect(splitter.buffer.byteLength).toBeLessThan(10_000);
  });

  it('refuses a remaining length of five bytes, however it arrives', () => {
    expect(split([Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 1)])).toEqual(['malformed']);
    const cut = [0x30, 0x80, 0x80, 0x80, 0x80].map((byte) => Buffer.of(byte));
    expect(split(cut)).toEqual(['malformed']);
  });
});

describe('encodePublish', () => {
  it('is read back by an independent reader, at every length of the length', () => {
    for (const size of [0, 100, 127, 128, 16_383, 16_384, 2_097_152]) {
      for (const qos of [0, 1] as const) {
        const payload = Buffer.alloc(size, 'x');
        const frame = encodePublish(Buffer.from('dss/value/'), Buffer.from('ä'), payload, {
          qos,
          retain: true,
        });
        const read = takePacket(Buffer.from(frame.bytes))?.packet;
        expect(read).toMatchObject({ topic: 'dss/value/ä', qos, retain: true });
        expect(read?.type === 'publish' && read.bytes.equals(payload)).toBe(true);
      }
    }
  });
});
