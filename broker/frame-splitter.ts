import assert from 'node:assert/strict';
import { uint16 } from './field-reader.ts';
import { PacketType } from './frame-encoder.ts';

/**
 * `frame`: a whole packet lies in `buffer` from `start` to `end`, its body from `bodyStart`.
 * `large`: a packet over `largeBytes` begins; of a PUBLISH the topic and packet id are there. The caller
 * decides: `keep()` assembles it, `skip()` drops it as it arrives.
 * `skipped`: the end of a packet that was skipped.
 * `incomplete`: everything pushed is used up. `malformed`: no MQTT; the splitter is of no more use.
 */
export type SplitResult = 'frame' | 'large' | 'skipped' | 'incomplete' | 'malformed';

const EMPTY = new Uint8Array(0);
const FIRST_ASSEMBLY_BYTES = 1024;

/**
 * Finds the borders of MQTT control packets in a byte stream however it was cut. A packet that lies in one
 * chunk is a range of that chunk; one that does not is copied once, into a buffer that grows with what has
 * really arrived: a length that is only announced costs nothing.
 *
 * The result is in fields, so that the hot path allocates nothing per packet.
 */
export class FrameSplitter {
  /** Packets with a longer body are announced as `large` first. */
  largeBytes: number;

  buffer: Uint8Array = EMPTY;
  /** The first byte of the fixed header: packet type and flags. */
  header = 0;
  start = 0;
  bodyStart = 0;
  /** Of a `large` packet, where it will end; this may lie beyond `buffer`. */
  end = 0;

  #chunk: Uint8Array = EMPTY;
  #position = 0;
  /** The beginning of a packet that began in an earlier chunk. */
  #assembly: Uint8Array | undefined;
  #assembledBytes = 0;
  #skipping = false;
  #skipBytes = 0;
  #keepLarge = false;
  /** How many bytes of the packet `#examine` needs to get further. */
  #wantedBytes = 0;

  constructor(largeBytes: number) {
    this.largeBytes = largeBytes;
  }

  /** Gives the next chunk, after `incomplete`. It must not change while its frames are in use. */
  push(chunk: Uint8Array): void {
    assert(this.#position === this.#chunk.length, 'the previous chunk is used up');
    this.#chunk = chunk;
    this.#position = 0;
  }

  next(): SplitResult {
    if (this.#skipping) return this.#skipFurther();
    if (this.#assembly !== undefined) return this.#assembleFurther(this.#assembly);
    const result = this.#examine(this.#chunk, this.#position, this.#chunk.length - this.#position);
    if (result === 'frame') this.#position = this.end;
    if (result !== 'incomplete') return result;
    const rest = this.#chunk.length - this.#position;
    if (rest > 0) {
      this.#assembly = new Uint8Array(Math.max(rest, FIRST_ASSEMBLY_BYTES));
      this.#take(this.#assembly, rest);
    }
    this.#letGo();
    return 'incomplete';
  }

  /** After `large`: assemble the packet all the same. */
  keep(): void {
    this.#keepLarge = true;
  }

  /** After `large`: drop the rest of the packet without buffering it; `next` says when it is over. */
  skip(): void {
    this.#skipping = true;
    this.#skipBytes = this.end - this.start - this.#assembledBytes;
    this.#assembly = undefined;
    this.#assembledBytes = 0;
  }

  #skipFurther(): SplitResult {
    const step = Math.min(this.#skipBytes, this.#chunk.length - this.#position);
    this.#position += step;
    this.#skipBytes -= step;
    this.#skipping = this.#skipBytes > 0;
    return this.#skipping ? 'incomplete' : 'skipped';
  }

  #assembleFurther(assembly: Uint8Array): SplitResult {
    for (;;) {
      const result = this.#examine(assembly, 0, this.#assembledBytes);
      if (result === 'frame') {
        this.#assembly = undefined;
        this.#assembledBytes = 0;
      }
      if (result !== 'incomplete') return result;
      const missing = this.#wantedBytes - this.#assembledBytes;
      const step = Math.min(missing, this.#chunk.length - this.#position);
      if (step === 0) return 'incomplete';
      if (this.#assembledBytes + step > assembly.length) {
        assembly = this.#grow(assembly, this.#assembledBytes + step);
      }
      this.#take(assembly, step);
    }
  }

  /** Doubling keeps the copying linear; the packet's length is the bound. */
  #grow(assembly: Uint8Array, neededBytes: number): Uint8Array {
    const doubled = Math.min(2 * assembly.length, this.#wantedBytes);
    const grown = new Uint8Array(Math.max(doubled, neededBytes));
    grown.set(assembly.subarray(0, this.#assembledBytes));
    this.#assembly = grown;
    return grown;
  }

  #take(assembly: Uint8Array, count: number): void {
    const end = this.#position + count;
    assembly.set(this.#chunk.subarray(this.#position, end), this.#assembledBytes);
    this.#assembledBytes += count;
    this.#position = end;
  }

  /** Looks at the `available` bytes of a packet that begins at `start`. */
  #examine(buffer: Uint8Array, start: number, available: number): SplitResult {
    if (available < 2) return this.#want(2);
    let length = 0;
    let headerBytes = 1;
    for (let shift = 0; ; shift += 7) {
      // The remaining length has four bytes at most (MQTT 3.1.1 §2.2.3).
      if (headerBytes > 4) return 'malformed';
      if (available <= headerBytes) return this.#want(headerBytes + 1);
      const byte = buffer[start + headerBytes] as number;
      headerBytes += 1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    this.buffer = buffer;
    this.header = buffer[start] as number;
    this.start = start;
    this.bodyStart = start + headerBytes;
    this.end = this.bodyStart + length;
    if (length > this.largeBytes && !this.#keepLarge) return this.#examineLarge(available);
    if (available < headerBytes + length) return this.#want(headerBytes + length);
    this.#keepLarge = false;
    return 'frame';
  }

  /** A large PUBLISH is announced when its topic and packet id are there, anything else at once. */
  #examineLarge(available: number): SplitResult {
    if (this.header >> 4 !== PacketType.publish) return 'large';
    const headerBytes = this.bodyStart - this.start;
    if (available < headerBytes + 2) return this.#want(headerBytes + 2);
    const topicBytes = uint16(this.buffer, this.bodyStart);
    const packetIdBytes = (this.header & 0b110) === 0 ? 0 : 2;
    const headBytes = headerBytes + 2 + topicBytes + packetIdBytes;
    if (this.start + headBytes > this.end) return 'malformed';
    return available < headBytes ? this.#want(headBytes) : 'large';
  }

  /** All of the chunk is used up, and a client may be silent for long. */
  #letGo(): void {
    this.buffer = EMPTY;
    this.#chunk = EMPTY;
    this.#position = 0;
  }

  #want(bytes: number): SplitResult {
    this.#wantedBytes = bytes;
    return 'incomplete';
  }
}
