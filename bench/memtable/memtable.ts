import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { type Structure, structures } from './structures.ts';

const usage = 'Usage: npm run bench -- memtable [--readings 120000] [--series 5000] [--rounds 5]';

/** Compares what a memtable could be made of, with as many readings as fill one of 16 MiB. */
export async function memtable(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      readings: { type: 'string', default: '120000' },
      series: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const [readings, series, rounds] = [values.readings, values.series, values.rounds].map(Number);
  const keys = keysOf(readings as number, series as number);
  process.stdout.write(`${JSON.stringify(describeMachine())}\n`);
  process.stdout.write('STRUCTURE                          PUTS/S      SORTED AND VISITED, MS\n');
  const runs = new Map<Structure, Run[]>(structures.map((structure) => [structure, []]));
  for (let round = 0; round < (rounds as number); round++) {
    for (const [structure, results] of runs) results.push(measure(structure, keys));
  }
  for (const [{ name }, results] of runs) {
    const puts = Math.round(median(results.map(({ putsPerSecond }) => putsPerSecond)));
    const drain = median(results.map(({ drainMs }) => drainMs)).toFixed(1);
    process.stdout.write(`${name.padEnd(35)}${String(puts).padEnd(12)}${drain}\n`);
  }
}

interface Run {
  readonly putsPerSecond: number;
  readonly drainMs: number;
}

function measure({ name, make }: Structure, keys: readonly Uint8Array[]): Run {
  const value = new Uint8Array(64).fill(0x78);
  const candidate = make();
  const start = performance.now();
  for (const key of keys) candidate.put(key, value);
  const filled = performance.now();
  const count = candidate.drain();
  const drained = performance.now();
  if (count !== keys.length) throw new Error(`${name} lost ${keys.length - count} keys`);
  return {
    putsPerSecond: (keys.length / (filled - start)) * 1000,
    drainMs: drained - filled,
  };
}

/** Readings of many series in the order of time: slot, space, name, 0x00, inverted time. */
function keysOf(readings: number, series: number): Uint8Array[] {
  return Array.from({ length: readings }, (_, i) => {
    const number = i % series;
    const name = `plant/line${number % 50}/sensor${String(number).padStart(5, '0')}/t`;
    const key = Buffer.alloc(40);
    key[0] = number & 0xff;
    key.write(name.padEnd(29, '.').slice(0, 29), 2, 'latin1');
    key.writeBigUInt64BE(0xffff_ffff_ffff_ffffn - BigInt(1e12 + i * 37), 32);
    return key;
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}
