/**
 * Sets up protobufjs for this process. The generated code looks at `util.Long` while it is loaded, so
 * this module must be evaluated before it: only `index.ts` imports either, in that order.
 *
 * 64-bit fields are plain numbers here. Left to itself protobufjs makes `Long` objects of them, or rounds
 * without a word beyond 2^53; ours are safe integers by design (DESIGN §3), and anything else is refused.
 */
import assert from 'node:assert/strict';
import pb from 'protobufjs/minimal.js';

/** The parts of protobufjs's reader and writer that the replacements below work on. */
interface Reading {
  readonly buf: Uint8Array;
  readonly len: number;
  pos: number;
}
type ReadUint64 = (this: Reading) => number;
type WriteUint64 = (this: pb.Writer, value: number) => pb.Writer;

(pb.util as { Long: unknown }).Long = null;
pb.configure();
// Without this every unknown field, also one of a wrong wire type, is kept as a slice in the message.
pb.Reader.discardUnknown = true;

const reader = pb.Reader.prototype as unknown as { uint64: ReadUint64 };
const writer = pb.Writer.prototype as unknown as { uint64: WriteUint64 };
const writeUint64 = writer.uint64;
reader.uint64 = readSafeInteger;
writer.uint64 = function writeSafeInteger(value) {
  // The sentence only when it is needed: it would be put together for every field that is written.
  if (!Number.isSafeInteger(value) || value < 0)
    assert.fail(`not an unsigned safe integer: ${value}`);
  return writeUint64.call(this, value);
};

/** A varint of at most ten bytes. Sums beyond 2^53 may be rounded, but never back into the safe range. */
function readSafeInteger(this: Reading): number {
  let value = 0;
  let scale = 1;
  for (let count = 0; count < 10; count++) {
    if (this.pos >= this.len) throw new RangeError(`varint runs out of its message at ${this.pos}`);
    const byte = this.buf[this.pos++] as number;
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (value <= Number.MAX_SAFE_INTEGER) return value;
      throw new RangeError(`64-bit field above 2^53 - 1 before ${this.pos}`);
    }
    scale *= 128;
  }
  throw new RangeError(`varint longer than ten bytes before ${this.pos}`);
}
