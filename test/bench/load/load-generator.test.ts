import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../bench/load/latency-histogram.ts';
import { connectFrame, PublishFrames } from '../../../bench/load/load-frames.ts';
import { runLoad } from '../../../bench/load/load-generator.ts';
import { parseBatch } from '../../../broker/batch.ts';
import { text } from '../../support/text.ts';

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

describe('load generator', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /**
   * Acknowledges every frame of a known size, in pieces that do not respect frame borders. After `pauseAfter` frames it
   * reads nothing for a while, once.
   */
  async function startSink(
    frameBytes: number,
    { pauseAfter = Number.POSITIVE_INFINITY, pauseMs = 0 } = {},
  ): Promise<{ port: number; received(): number }> {
    let frames = 0;
    let hasPaused = false;
    const sockets: Socket[] = [];
    server = createServer({ noDelay: true }, (socket) => {
      let rest = Buffer.alloc(0);
      let greeted = false;
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        if (!greeted) {
          rest = rest.subarray(2 + (rest[1] as number));
          greeted = true;
          socket.write(CONNACK);
        }
        const acknowledgements: number[] = [];
        for (; rest.length >= frameBytes; rest = rest.subarray(frameBytes)) {
          const idOffset = 4 + rest.readUInt16BE(2);
          acknowledgements.push(0x40, 2, rest[idOffset] as number, rest[idOffset + 1] as number);
          frames += 1;
        }
        if (frames >= pauseAfter && !hasPaused) {
          hasPaused = true;
          for (const each of sockets) each.pause();
          setTimeout(() => sockets.map((each) => each.resume()), pauseMs);
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
      {
        onMeasuring: () => {
          measuring = true;
        },
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
    const result = await runLoad({ ...load, perSecond: 1_000 }, {});
    const seconds = (performance.now() - startedMs) / 1000;
    // What was earned, and the arrears of a tenth of a second that may be made up for.
    expect(sink.received()).toBeLessThanOrEqual(1_000 * (seconds + 0.1));
    expect(result.messages).toBeGreaterThan(0);
  });

  it('in an open loop counts from when a message was due, so that a pause is felt by all it holds up', async () => {
    const shape = { topicPrefix: 'dss/put/bench/', keys: 10, valueBytes: 64 };
    const pauseMs = 200;
    const pause = { pauseAfter: 20, pauseMs };
    const sink = await startSink(new PublishFrames(shape).frameBytes, pause);
    const load = { ...shape, clients: 2, inflight: 3, seconds: 0.5, warmupSeconds: 0 };
    const paced = { ...load, ports: [sink.port], perSecond: 400 };
    const result = await runLoad({ ...paced, isOpenLoop: true }, {});
    // 80 of 200 messages were due during the pause, though only six could be under way.
    expect(result.messages).toBeGreaterThan(150);
    expect(result.p99Ms).toBeGreaterThan(0.8 * pauseMs);
    expect(result.p50Ms).toBeLessThan(pauseMs);
    expect(result.lateP99Ms).toBeGreaterThan(0);
  });

  it('in an open loop counts what is never acknowledged, too', async () => {
    const shape = { topicPrefix: 'dss/put/bench/', keys: 10, valueBytes: 64 };
    server = createServer((socket) => socket.on('data', () => {}).write(CONNACK));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const load = { ...shape, ports: [port], clients: 1, inflight: 1, perSecond: 100 };
    const times = { seconds: 0.3, warmupSeconds: 0 };
    const result = await runLoad({ ...load, ...times, isOpenLoop: true }, {});
    expect(result.messages).toBe(0);
    expect(result.maxMs).toBeGreaterThan(200);
    expect(result.p50Ms).toBeGreaterThan(80);
  });

  it('at QoS 0 counts what a PINGRESP follows', async () => {
    const shape = { topicPrefix: 'bench/', keys: 10, valueBytes: 64, qos: 0 as const };
    const { frameBytes } = new PublishFrames(shape);
    const inflight = 5;
    let windows = 0;
    server = createServer({ noDelay: true }, (socket) => {
      let bytes = 0;
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(CONNACK);
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          if (bytes < inflight * frameBytes + 2) return;
          expect([...chunk.subarray(-2)]).toEqual([0xc0, 0]);
          bytes = 0;
          windows += 1;
          socket.write(Buffer.from([0xd0, 0]));
        });
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const load = { ...shape, ports: [port], clients: 1, inflight };
    const result = await runLoad({ ...load, seconds: 0.1, warmupSeconds: 0.05 }, {});
    expect(result.messages).toBeGreaterThan(0);
    expect(result.messages % inflight).toBe(0);
    expect(result.messages).toBeLessThanOrEqual(windows * inflight);
  });

  it('tells how far it is, and ends when it has enough', async () => {
    const shape = { topicPrefix: 'dss/put/bench/', keys: 10, valueBytes: 64 };
    const sink = await startSink(new PublishFrames(shape).frameBytes);
    let told = 0;
    const load = { ...shape, ports: [sink.port], clients: 1, inflight: 5, messagesMax: 1 };
    const result = await runLoad(
      { ...load, seconds: 60, warmupSeconds: 0 },
      {
        onProgress: ({ messages }) => {
          told += messages;
        },
      },
    );
    expect(result.messages).toBe(told);
    expect(result.seconds).toBeLessThan(10);
  });

  it('fails when a connection is closed instead of reporting a low figure', async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const shape = { topicPrefix: 't/', keys: 1, valueBytes: 8, clients: 1, inflight: 1 };
    const load = runLoad({ ...shape, ports: [port], seconds: 1, warmupSeconds: 1 }, {});
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

  it('encodes QoS 0 without a packet id, and retained messages', () => {
    const shape = { topicPrefix: 't/', keys: 2, valueBytes: 8 };
    const frames = new PublishFrames({ ...shape, qos: 0, retain: true });
    const buffer = Buffer.alloc(frames.frameBytes);
    frames.write(buffer, 0, 5, 7);
    expect(buffer[0]).toBe(0x31);
    expect(frames.frameBytes).toBe(2 + 2 + 't/000001'.length + 8);
    expect(buffer.readUInt32LE(frames.frameBytes - 8)).toBe(5);
  });

  it.each(['json', 'protobuf'] as const)('encodes batches (%s), each of other keys', (format) => {
    const shape = { topicPrefix: 'dss/batch/b', keys: 6, valueBytes: 16 };
    const frames = new PublishFrames({ ...shape, batch: { readings: 2, format } });
    const readingsOf = (sequence: number) => {
      const frame = Buffer.alloc(frames.frameBytes);
      frames.write(frame, 0, sequence, 1);
      const payload = frame.subarray(2 + 2 + shape.topicPrefix.length + 2);
      const limits = { keyBytesMax: 100, valueBytesMax: 100 };
      const parsed = parseBatch(Buffer.from('b'), payload, limits, 0);
      const writes = parsed.kind === 'batch' ? parsed.writes : [];
      return writes.map(({ key, value }) => [text(key), text(value)]);
    };
    const keys = (sequence: number) => readingsOf(sequence).map(([key]) => key);
    expect(keys(0)).toEqual(['b/000000', 'b/000001']);
    expect(keys(5)).toEqual(['b/000004', 'b/000005']);
    const [before, after] = [readingsOf(1), readingsOf(4)];
    expect(after[0]).toEqual(before[0]);
    expect(after[1]?.[1]).toMatch(/^00000004[0-9a-f]{8}$/);
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
    expect(histogram.percentileMs(100)).toBe(5_010);
    histogram.record(500_000_000);
    expect(histogram.percentileMs(100)).toBe(500_000);
  });

  it('takes another one in, and several messages that took as long', () => {
    const [all, other] = [new LatencyHistogram(), new LatencyHistogram()];
    all.record(1_000, 3);
    other.record(8_000);
    all.add(other);
    expect(all.count).toBe(4);
    expect(all.percentileMs(75)).toBeCloseTo(1, 1);
    expect(all.maxMs).toBe(8);
  });
});
