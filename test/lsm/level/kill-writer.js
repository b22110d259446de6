// Writes until it is killed: node kill-writer.js <dist> <directory> <first>. Batch n puts the pair a/<n>, b/<n>;
// each fifth is synced. Prints n when batch n is acknowledged.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, directory, first] = process.argv.slice(2);
const { DssLevel } = await import(pathToFileURL(join(dist, 'lsm/level/level.js')).href);
const db = new DssLevel(directory, { memtableBytes: 256 * 1024 });
await db.open();
const filler = 'x'.repeat(500);
for (let n = Number(first); ; n++) {
  const pair = [
    { type: 'put', key: `a/${n}`, value: `${n}${filler}` },
    { type: 'put', key: `b/${n}`, value: `${n}${filler}` },
    { type: 'del', key: `a/${n - 500}` },
    { type: 'del', key: `b/${n - 500}` },
  ];
  await db.batch(pair, { sync: n % 5 === 0 });
  console.log(n);
}
