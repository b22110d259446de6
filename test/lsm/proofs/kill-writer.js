// Writes until it is killed: node kill-writer.js <dist> <directory> <first>. Call n is a put, a batch, a deletion or a
// clear, by its number. Prints n when call n is acknowledged, and `+n` when it is synced with all before it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, directory, first] = process.argv.slice(2);
const { DssLevel } = await import(pathToFileURL(join(dist, 'lsm/level/level.js')).href);
const db = new DssLevel(directory, { memtableBytes: 64 * 1024, logFileBytes: 128 * 1024 });
await db.open();
const filler = 'x'.repeat(300);
for (let n = Number(first); ; n++) {
  const sync = n % 7 === 0;
  if (n % 50 === 0) await db.clear({ gt: `${n % 3}/`, lt: `${n % 3}0` });
  else if (n % 5 === 0) await db.del(`${n % 3}/${n % 31}`, { sync });
  else if (n % 2 === 0) {
    const keys = [0, 1, 2].map((group) => `${group}/${n % 31}`);
    await db.batch(
      keys.map((key) => ({ type: 'put', key, value: `${n}${filler}` })),
      { sync },
    );
  } else await db.put(`${n % 3}/${n % 31}`, `${n}${filler}`, { sync });
  process.stdout.write(`${n}\n`);
}
