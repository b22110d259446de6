import { SERIES_SUFFIX_BYTES, Space, writeEngineKey } from '../../node/shard/engine-key.ts';

/**
 * The data of the bench: readings of many sensors as a node stores them, in the order in which they arrive. The
 * sensors take turns; each reading comes a little earlier or later than its turn. Reading number `i` is a function
 * of `i`, so that any of them can be asked for later without keeping them all.
 */
export const VALUE_BYTES = 64;
const START_MS = Date.UTC(2025, 0, 1);
const INTERVAL_MS = 10_000;
const JITTER_MS = 1_000;
/** Where no reading is: after the latest that one may come and before the next one of the same sensor. */
const BETWEEN_MS = INTERVAL_MS / 2;

export interface Readings {
  readonly keys: readonly Buffer[];
  readonly values: readonly Buffer[];
}

/** `[lower, upper)`: all keys of one series. */
export interface SeriesRange {
  readonly lower: Buffer;
  readonly upper: Buffer;
}

export class ReadingSource {
  readonly seriesCount: number;
  readonly keyBytes: number;
  readonly #names: readonly Buffer[];

  constructor(seriesCount: number) {
    this.seriesCount = seriesCount;
    this.#names = Array.from({ length: seriesCount }, (_, series) => Buffer.from(nameOf(series)));
    this.keyBytes = 3 + nameOf(0).length + SERIES_SUFFIX_BYTES;
  }

  /** `count` readings from number `first` on. */
  build(first: number, count: number): Readings {
    const numbers = Array.from({ length: count }, (_, i) => first + i);
    const bytes = Buffer.allocUnsafeSlow(count * VALUE_BYTES);
    const values = numbers.map((reading, i) => {
      const value = bytes.subarray(i * VALUE_BYTES, (i + 1) * VALUE_BYTES);
      value.write(this.valueOf(reading), 'latin1');
      return value;
    });
    return { keys: this.keysOf(numbers), values };
  }

  keysOf(readings: readonly number[]): Buffer[] {
    return this.#keysAt(readings, 0);
  }

  /** Keys between these readings and the next ones of their series, which nothing is stored at. */
  missingKeysOf(readings: readonly number[]): Buffer[] {
    return this.#keysAt(readings, BETWEEN_MS);
  }

  /** Exactly 64 bytes of JSON: sensors differ from each other more than one does from reading to reading. */
  valueOf(reading: number): string {
    const noise = mix(reading);
    const sensor = mix((reading % this.seriesCount) + 0x5eed);
    const temperature = 1500 + (sensor % 1000) + (noise % 300);
    const humidity = 3000 + ((sensor >>> 10) % 3000) + ((noise >>> 9) % 400);
    const battery = 3300 + ((sensor >>> 22) % 800) + ((noise >>> 18) % 20);
    const lux = 100 + ((noise >>> 20) % 900);
    return `{"temperature":${hundredths(temperature)},"humidity":${hundredths(humidity)},"battery":${thousandths(battery)},"lux":${lux}}`;
  }

  seriesRange(series: number): SeriesRange {
    const [key] = this.keysOf([series]) as [Buffer];
    const lower = key.subarray(0, key.length - SERIES_SUFFIX_BYTES);
    const upper = Buffer.from(lower);
    // A name ends with 0x00, so this is the first thing after the series.
    upper[upper.length - 1] = 1;
    return { lower, upper };
  }

  /** Parts of one buffer: a buffer for each key would cost more than what is measured. */
  #keysAt(readings: readonly number[], offsetMs: number): Buffer[] {
    const bytes = Buffer.allocUnsafeSlow(readings.length * this.keyBytes);
    return readings.map((reading, i) => {
      const key = bytes.subarray(i * this.keyBytes, (i + 1) * this.keyBytes);
      this.#writeKey(key, reading, offsetMs);
      return key;
    });
  }

  #writeKey(target: Buffer, reading: number, offsetMs: number): void {
    const series = reading % this.seriesCount;
    const turn = Math.floor(reading / this.seriesCount);
    const withinTurnMs = Math.floor((series / this.seriesCount) * INTERVAL_MS);
    const jitterMs = mix(reading + 0x71e) % JITTER_MS;
    const timeMs = START_MS + turn * INTERVAL_MS + withinTurnMs + jitterMs + offsetMs;
    const name = this.#names[series] as Buffer;
    writeEngineKey(target, mix(series) & 0xff, Space.userValues, name, 0, name.length, timeMs);
  }
}

/** Numbers below `countMax`, the same ones in every process. */
export function randomNumbers(count: number, countMax: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => mix(i + seed * 0x1000_0000) % countMax);
}

/** All of the same length, so that the length says nothing. */
function nameOf(series: number): string {
  const plant = String(series % 20).padStart(2, '0');
  return `plant-${plant}/machine-${String(series).padStart(5, '0')}/climate`;
}

const hundredths = (value: number): string => (value / 100).toFixed(2);
const thousandths = (value: number): string => (value / 1000).toFixed(3);

/** The finalizer of MurmurHash3: every bit of the number changes every bit of the result. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
