import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../bench/latency-histogram.ts';
import { connectFrame, PublishFrames } from '../../bench/load-frames.ts';
import { runLoad } from '../../bench/load-generator.ts';

describe('load generator', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** Acknowledges every frame of a known size, in pieces that do not respect frame borders. */
  async function startSink(frameBytes: number): Promise<{ port: number; received(): number }> {
    let frames = 0;
    server = createServer({ noDelay: true }, (socket) => {
      let rest = Buffer.alloc(0);
      let greeted = false;
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        if (!greeted) {
          rest = rest.subarray(2 + (rest[1] as number));
          greeted = true;
          socket.write(Buffer.from([0x20, 2, 0, 0]));
        }
        const acknowledgements: number[] = [];
        for (; rest.length >= frameBytes; rest = rest.subarray(frameBytes)) {
          const idOffset = 4 + rest.readUInt16BE(2);
          acknowledgements.push(0x40, 2, rest[idOffset] as number, rest[idOffset + 1] as number);
          frames += 1;
        }
        const bytes = Buffer.from(acknowledgements);
        socket.write(bytes.subarray(0, 3));
        socket.write(bytes.subarray(3));
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port, received: () => frames };
  }

  it('keeps its window full and counts what was acknowledged', async () => {
    const shape = { topicPrefix: 'dss/put/bench/', keys: 10, valueBytes: 64 };
    const sink = await startSink(new PublishFrames(shape).frameBytes);
    let measuring = false;
    const result = await runLoad(
      { ...shape, ports: [sink.port], clients: 2, inflight: 5, seconds: 0.2, warmupSeconds: 0.05 },
      () => {
        measuring = true;
      },
    );
    expect(measuring).toBe(true);
    expect(result.messages).toBeGreaterThan(20);
    expect(result.messages).toBeLessThanOrEqual(sink.received());
    expect(result.p50Ms).toBeGreaterThan(0);
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    expect(result.maxMs).toBeLessThan(1000);
  });

  it('keeps to its pace', async () => {
    const shape = { topicPrefix: 'dss/put/bench/', keys: 10, valueBytes: 64 };
    const sink = await startSink(new PublishFrames(shape).frameBytes);
    const times = { seconds: 0.3, warmupSeconds: 0.1 };
    const load = { ...shape, ...times, ports: [sink.port], clients: 3, inflight: 50 };
    const startedMs = performance.now();
    const result = await runLoad({ ...load, perSecond: 1_000 }, () => {});
    const seconds = (performance.now() - startedMs) / 1000;
    // What was earned, and the arrears of a tenth of a second that may be made up for.
    expect(sink.received()).toBeLessThanOrEqual(1_000 * (seconds + 0.1));
    expect(result.messages).toBeGreaterThan(0);
  });

  it('fails when a connection is closed instead of reporting a low figure', async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const shape = { topicPrefix: 't/', keys: 1, valueBytes: 8, clients: 1, inflight: 1 };
    const load = runLoad({ ...shape, ports: [port], seconds: 1, warmupSeconds: 1 }, () => {});
    await expect(load).rejects.toThrow();
  });
});

describe('frames', () => {
  it('encodes a PUBLISH with QoS 1, the packet id and a value that changes', () => {
    const frames = new PublishFrames({ topicPrefix: 'dss/put/bench/', keys: 3, valueBytes: 64 });
    const buffer = Buffer.alloc(frames.frameBytes * 2);
    frames.write(buffer, 0, 4, 0x0102);
    frames.write(buffer, frames.frameBytes, 7, 0x0102);
    const topic = 'dss/put/bench/000001';
    expect(buffer[0]).toBe(0x32);
    expect(buffer[1]).toBe(frames.frameBytes - 2);
    expect(buffer.toString('utf8', 4, 4 + topic.length)).toBe(topic);
    expect(buffer.readUInt16BE(4 + topic.length)).toBe(0x0102);
    const first = buffer.subarray(0, frames.frameBytes);
    expect(first.equals(buffer.subarray(frames.frameBytes))).toBe(false);
  });

  it('encodes a CONNECT for MQTT 3.1.1', () => {
    const frame = connectFrame('load-1');
    expect(frame.length).toBe(2 + (frame[1] as number));
    expect(frame.toString('latin1', 4, 8)).toBe('MQTT');
    expect(frame[8]).toBe(4);
  });
});

describe('latency histogram', () => {
  it('finds percentiles to 10 µs', () => {
    const histogram = new LatencyHistogram();
    for (let micros = 1; micros <= 10_000; micros += 1) histogram.record(micros);
    expect(histogram.count).toBe(10_000);
    expect(histogram.percentileMs(50)).toBeCloseTo(5, 1);
    expect(histogram.percentileMs(99)).toBeCloseTo(9.9, 1);
    expect(histogram.maxMs).toBe(10);
    histogram.record(5_000_000);
    expect(histogram.maxMs).toBe(5_000);
    expect(histogram.percentileMs(100)).toBe(5_000);
  });
});
