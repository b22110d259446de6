export interface Reading {
  readonly key: string;
  readonly seq: number;
  readonly payload: string;
}

const MEAN = 21;
const STEP = 0.15;
const PULL = 0.02;

/** One simulated thermometer: a random walk that is drawn back to its mean, like a room. */
export class Sensor {
  readonly key: string;
  readonly #random: () => number;
  #value: number;
  #seq = 0;

  constructor(key: string, random: () => number) {
    this.key = key;
    this.#random = random;
    this.#value = MEAN + (random() - 0.5) * 10;
  }

  /** `atMs` is milliseconds since 1970. */
  read(atMs: number): Reading {
    this.#seq += 1;
    this.#value += (this.#random() - 0.5) * 2 * STEP + (MEAN - this.#value) * PULL;
    const value = Math.round(this.#value * 100) / 100;
    const payload = JSON.stringify({ value, unit: 'C', seq: this.#seq, at: atMs });
    return { key: this.key, seq: this.#seq, payload };
  }
}

/** Ten devices to a line: `demo/line3/dev27/temp`. */
export function sensorKey(prefix: string, index: number): string {
  return `${prefix}/line${Math.floor(index / 10) + 1}/dev${index + 1}/temp`;
}
