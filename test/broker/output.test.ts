import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BatchBuffers } from '../../broker/batch-buffers.ts';
import { Output } from '../../broker/output.ts';

/** Takes writes at once, as a kernel does that has room, or keeps them until it is told to go on. */
class Sink extends Duplex {
  readonly taken: Buffer[] = [];
  readonly held: { readonly chunk: Buffer; readonly done: () => void }[] = [];
  hasRoom = true;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.hasRoom) return void this.held.push({ chunk, done });
    this.taken.push(Buffer.from(chunk));
    done();
  }

  goOn(): void {
    this.hasRoom = true;
    for (const { chunk, done } of this.held.splice(0)) {
      this.taken.push(Buffer.from(chunk));
      done();
    }
  }
}

function outputTo(sink: Sink, buffers: BatchBuffers): Output {
  const hooks = { onPending: () => {}, onRoom: () => {} };
  return new Output(sink, { packetsSent: 0, bytesSent: 0 }, buffers, hooks);
}

describe('Output', () => {
  it('is not full after a long write that was taken whole', () => {
    const sink = new Sink();
    const output = outputTo(sink, new BatchBuffers());
    output.write(new Uint8Array(100_000));
    expect(output.full).toBe(false);
    sink.hasRoom = false;
    output.write(new Uint8Array(100_000));
    expect(output.full).toBe(true);
  });

  it('does not reuse a buffer that the stream still holds', () => {
    const sink = new Sink();
    const buffers = new BatchBuffers();
    const [first, second] = [outputTo(sink, buffers), outputTo(new Sink(), buffers)];
    sink.hasRoom = false;
    const sent: number[] = [];
    for (let byte = 1; byte <= 3; byte += 1) {
      sent.push(byte);
      first.write(Uint8Array.of(byte));
      first.flush();
      second.write(Uint8Array.of(0xff));
      second.flush();
    }
    sink.goOn();
    expect([...Buffer.concat(sink.taken)]).toEqual(sent);
  });

  it('gathers what is more than a buffer in one write', () => {
    const sink = new Sink();
    const output = outputTo(sink, new BatchBuffers());
    const packets = Array.from({ length: 300 }, (_, index) => new Uint8Array(100).fill(index));
    for (const packet of packets) output.write(packet);
    output.flush();
    expect(sink.taken).toEqual([Buffer.concat(packets)]);
  });
});
